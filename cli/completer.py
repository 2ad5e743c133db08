"""What could stand at the end of a REPL line. Pure: text and known names in, candidates out."""

import shlex
from collections.abc import Sequence

from .commands import REPL, first_words
from .spec import Command


def candidates(text: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """The unfinished word at the end of the text, and what it could become, in the table's and the workflow's order."""
    before, word = _split(text)
    known = _known(before, names)
    return word, [name for name in known if name.startswith(word) and name != word]


def _split(text: str) -> tuple[list[str], str]:
    """The finished words and the unfinished one; inside a quote nothing is completed."""
    try:
        tokens = shlex.split(text)
    except ValueError:
        return [], text
    if not tokens or text[-1].isspace():
        return tokens, ""
    return tokens[:-1], tokens[-1]


def _known(before: Sequence[str], names: Sequence[str]) -> list[str]:
    if not before:
        return [*first_words(REPL), *names]
    command = next((command for command in REPL if command.name.split() == list(before[: len(command.name.split())])), None)
    if command is None:
        group = [
            candidate.name.split()[1] for candidate in REPL if candidate.name.split()[0] == before[0] and " " in candidate.name
        ]
        return group or (list(names) if len(before) % 2 == 0 else [])
    return _arguments(command, before[len(command.name.split()) :], names)


def _arguments(command: Command, given: Sequence[str], names: Sequence[str]) -> list[str]:
    flags = [flag for option in command.options for flag in option.flags if flag.startswith("--")]
    kinds = {argument.kind for argument in command.arguments}
    if "command" in kinds:
        return first_words(REPL)
    if "parameter" in kinds or ("parameters" in kinds and len(given) % 2 == 0):
        return [*names, *flags]
    return [] if "parameters" in kinds else flags
