"""Which command a line is about, and which of its arguments is due after the words so far; read as ``parse.parse`` reads them."""

from collections.abc import Sequence

from msgspec import Struct

from ..commands import HELP
from ..parse import left_out
from ..spec import Argument, Command, Option


class Place(Struct):
    """What stands before the word that is typed."""

    command: Command
    argument: Argument | None = None
    """The one that is due; None: all are given."""
    words: list[str] = []
    """What was given for that argument before."""
    workflow: str | None = None
    """The workflow of the line, where the command takes one."""
    given: set[str] = set()
    """Names of the options so far."""
    option: Option | None = None
    """The option whose value is due."""
    closed: bool = False
    """After ``--``, where nothing is an option."""
    due_value: bool = False
    """Whether the value of a parameter is due, which no option but a whole one interrupts."""


def find(before: Sequence[str], commands: Sequence[Command]) -> tuple[Command | None, list[str]]:
    """The command that the words name, and the words after its name."""
    for command in commands:
        name = command.name.split()
        if list(before[: len(name)]) == name:
            return command, list(before[len(name) :])
    return None, list(before)


def place(command: Command, rest: Sequence[str]) -> Place:
    """What is due after these words of a command."""
    here = Place(command)
    positional: list[str] = []
    arguments = command.arguments
    for at, word in enumerate(rest):
        if here.option is None and len(positional) < len(arguments) and arguments[len(positional)].kind == "line":
            positional += rest[at:]
            break
        if here.option is not None:
            here.option = None
        elif here.closed:
            positional.append(word)
        elif word == "--":
            here.closed = True
        elif (option := _option(command, word)) is not None:
            here.given.add(option.name)
            here.option = option if option.metavar and "=" not in word else None
        else:
            positional.append(word)
    _assign(here, positional)
    return here


def _option(command: Command, word: str) -> Option | None:
    flag = word.partition("=")[0] if word.startswith("--") else word
    return next((option for option in (*command.options, HELP) if flag in option.flags), None)


def _assign(here: Place, positional: list[str]) -> None:
    """Which argument the next word is for."""
    for number, argument in enumerate(here.command.arguments):
        if number < len(positional) and not argument.many and left_out(argument, positional[number]):
            positional.insert(number, "")
        if argument.kind == "workflow" and number < len(positional):
            here.workflow = positional[number]
        if argument.many or number == len(positional):
            here.argument, here.words = argument, positional[number:]
            return
