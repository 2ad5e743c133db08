# completion of comfyd for bash; made by `comfyd completions show bash` from the command table.

_comfyd() {
    COMPREPLY=()
    local word=${COMP_WORDS[COMP_CWORD]} line
    case "$COMP_CWORD:${COMP_WORDS[1]}" in
        1:[!-]* | 1:) COMPREPLY=($(compgen -W "run repl plan sweep params nodes convert workflow source watch cancel queue history again ps unload start stop restart status doctor logs engine config service completions schema help" -- "$word")); return ;;
        2:workflow) COMPREPLY=($(compgen -W "add list show path rm alias unalias" -- "$word")); return ;;
        2:engine) COMPREPLY=($(compgen -W "install use status remove" -- "$word")); return ;;
        2:config) COMPREPLY=($(compgen -W "show path edit" -- "$word")); return ;;
        2:service) COMPREPLY=($(compgen -W "install uninstall print" -- "$word")); return ;;
        2:completions) COMPREPLY=($(compgen -W "install uninstall show" -- "$word")); return ;;
    esac
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <("${COMP_WORDS[0]}" _complete bash "$COMP_POINT" "$COMP_WORDBREAKS" "$COMP_LINE" 2>/dev/null)
    case "${COMPREPLY[0]}" in
        */) [ "${#COMPREPLY[@]}" = 1 ] && type compopt >/dev/null 2>&1 && compopt -o nospace ;;
    esac
}

complete -o nosort -F _comfyd comfyd 2>/dev/null || complete -F _comfyd comfyd
