"""The script for fish (3.1 and newer)."""

from collections.abc import Mapping, Sequence

from ..spec import Command
from .words import HEAD, first, second

_SCRIPT = """\
# {head}.

function __comfyd_complete
    set -l words (commandline -opc)
    $words[1] _complete fish $words[2..-1] -- (commandline -ct) 2>/dev/null
end

function __comfyd_words -a count
    test (count (commandline -opc)) -eq $count
    and not string match -q -- '-*' (commandline -ct)
end

function __comfyd_below -a group
    __comfyd_words 2
    and test (commandline -opc)[2] = $group
end

complete -c comfyd -e
complete -c comfyd -f
{first}
{second}
complete -c comfyd -k -n 'not __comfyd_words 1{groups}' -a '(__comfyd_complete)'
"""


def script(commands: Sequence[Command]) -> str:
    """The script's text."""
    below = second(commands)
    return _SCRIPT.format(
        head=HEAD.format(shell="fish"),
        first=_entries("__comfyd_words 1", first(commands)),
        second="\n".join(_entries(f"__comfyd_below {group}", words) for group, words in below.items()),
        groups="".join(f"; and not __comfyd_below {group}" for group in below),
    )


def _entries(condition: str, words: Mapping[str, str]) -> str:
    return "\n".join(f"complete -c comfyd -n '{condition}' -a {word} -d {_quoted(text)}" for word, text in words.items())


def _quoted(summary: str) -> str:
    return "'" + summary.replace("\\", "\\\\").replace("'", "\\'") + "'"
