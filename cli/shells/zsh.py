"""The script for zsh: a function of the completion system, for a directory of ``fpath``."""

from collections.abc import Mapping, Sequence

from ..spec import Command
from .words import HEAD, first, second

_SCRIPT = """\
#compdef comfyd
# {head}.

_comfyd() {{
    local -a texts shown
    local line text meta
    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        local -a known=(
{first}
        )
        _describe command known
        return
    fi
    if (( CURRENT == 3 )); then
        case $words[2] in
{second}
        esac
    fi
    while IFS= read -r line; do
        text=${{line%%$'\\t'*}} meta=${{line#*$'\\t'}}
        texts+=("$text")
        [[ -n $meta ]] && shown+=("$text  -- $meta") || shown+=("$text")
    done < <($words[1] _complete zsh "${{(@Q)words[2,CURRENT]}}" 2>/dev/null)
    (( $#texts )) || return 1
    if [[ $#texts == 1 && $texts[1] == */ ]]; then
        compadd -U -V comfyd -S '' -- $texts
    else
        compadd -U -V comfyd -l -d shown -- $texts
    fi
}}

_comfyd "$@"
"""


def script(commands: Sequence[Command]) -> str:
    """The script's text."""
    groups = [
        f"            {group})\n                local -a below=(\n{_entries(words, 20)}\n                )\n"
        f"                _describe command below\n                return ;;"
        for group, words in second(commands).items()
    ]
    return _SCRIPT.format(head=HEAD.format(shell="zsh"), first=_entries(first(commands), 12), second="\n".join(groups))


def _entries(words: Mapping[str, str], indent: int) -> str:
    return "\n".join(f"{' ' * indent}'{word}:{_quoted(summary)}'" for word, summary in words.items())


def _quoted(summary: str) -> str:
    return summary.replace("'", "'\\''").replace(":", "\\:")
