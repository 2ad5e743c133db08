"""What the scripts know without asking: the words that begin a command, each with its summary."""

from collections.abc import Sequence

from ..commands import WORD_GROUPS
from ..spec import Command

HEAD = "completion of comfyd for {shell}; made by `comfyd completions show {shell}` from the command table"


def first(commands: Sequence[Command]) -> dict[str, str]:
    """First words, in the table's order."""
    found: dict[str, str] = {}
    for command in commands:
        word = command.name.split()[0]
        found.setdefault(word, WORD_GROUPS.get(word, command.summary) if word != command.name else command.summary)
    return found


def second(commands: Sequence[Command]) -> dict[str, dict[str, str]]:
    """Second words by the first."""
    found: dict[str, dict[str, str]] = {}
    for command in commands:
        group, _, word = command.name.partition(" ")
        if word:
            found.setdefault(group, {})[word] = command.summary
    return found
