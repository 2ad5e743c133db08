"""The script for bash (3.2 and newer, with or without the bash-completion package)."""

from collections.abc import Sequence

from ..spec import Command
from .words import HEAD, first, second

_SCRIPT = """\
# {head}.

_comfyd() {{
    COMPREPLY=()
    local word=${{COMP_WORDS[COMP_CWORD]}} line
    case "$COMP_CWORD:${{COMP_WORDS[1]}}" in
        1:[!-]* | 1:) COMPREPLY=($(compgen -W "{first}" -- "$word")); return ;;
{second}
    esac
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <("${{COMP_WORDS[0]}}" _complete bash "$COMP_POINT" "$COMP_WORDBREAKS" "$COMP_LINE" 2>/dev/null)
    case "${{COMPREPLY[0]}}" in
        */) [ "${{#COMPREPLY[@]}}" = 1 ] && type compopt >/dev/null 2>&1 && compopt -o nospace ;;
    esac
}}

complete -o nosort -F _comfyd comfyd 2>/dev/null || complete -F _comfyd comfyd
"""


def script(commands: Sequence[Command]) -> str:
    """The script's text."""
    lines = [
        f'        2:{group}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")); return ;;'
        for group, words in second(commands).items()
    ]
    return _SCRIPT.format(head=HEAD.format(shell="bash"), first=" ".join(first(commands)), second="\n".join(lines))
