"""The pages of ``--help`` and ``help``, made from the command table."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from comfyd.errors import UsageError

from .commands import GROUPS, HELP, ROOT_OPTIONS, SHELL
from .parse import find
from .spec import Argument, Command, Option
from .terminal import Terminal

_WIDEST = 100
_INDENT = 2
_ENVIRONMENT = [
    ("COMFYD_HOME", "a directory for everything comfyd keeps, instead of the usual ones"),
    ("COMFYD_CONFIG", "the configuration file; COMFYD_X sets its setting x"),
    ("COMFYD_TRACEBACK", "1 shows where a fault in comfyd arose"),
    ("NO_COLOR", "no colours"),
]


def help_(terminal: Terminal, *, command: Sequence[str], commands: Sequence[Command] = SHELL) -> int:
    """Print the overview, the page of one command, or those of a group."""
    width = min(terminal.columns, _WIDEST)
    for line in page(command, width, commands):
        if line and not line.startswith(" "):
            terminal.heading(line)
        else:
            terminal.out(line)
    return 0


def page(words: Sequence[str], width: int, commands: Sequence[Command] = SHELL) -> list[str]:
    """Lines of help on the words of a command; raises UsageError for an unknown one."""
    if not words:
        return list(_overview(width, commands))
    members = [command for command in commands if command.name.split()[0] == words[0] and len(words) < len(command.name.split())]
    if members:
        return [f"{words[0].capitalize()}", *_listed([(member.name, member.summary) for member in members], width)]
    command, rest = find(words, commands)
    if rest:
        raise UsageError(f"help takes the name of one command, not {' '.join(words)}.")
    return list(_command(command, width))


def _overview(width: int, commands: Sequence[Command]) -> Iterator[str]:
    yield "comfyd: ComfyUI workflows from a resident daemon"
    if commands is SHELL:
        yield from _wrapped("comfyd COMMAND --help explains a command; comfyd alone opens the prompt comfy>.", width)
    else:
        yield from _wrapped(
            'A line of NAME VALUE pairs runs the workflow: prompt "a red apple" seed 42. The values stay for the next line.',
            width,
        )
    for group in GROUPS:
        members = [(command.name, command.summary) for command in commands if command.group == group]
        yield from _section(group, members, width)
    if commands is SHELL:
        yield from _section("Options", [(", ".join(option.flags), option.help) for option in ROOT_OPTIONS], width)
        yield from _section("Environment", _ENVIRONMENT, width)


def _command(command: Command, width: int) -> Iterator[str]:
    yield usage(command)
    yield from _wrapped(" ".join(filter(None, (command.summary, command.details))), width)
    yield from _section("Arguments", [(argument.metavar, argument.help) for argument in command.arguments], width)
    yield from _section("Options", [_option(option) for option in (*command.options, HELP)], width)
    if command.examples:
        yield from ("", "Examples", *(" " * _INDENT + example for example in command.examples))
    if command.environment:
        yield from ("", "Environment", *_wrapped(", ".join(command.environment), width))


def usage(command: Command) -> str:
    """``comfyd run WORKFLOW [NAME VALUE]... [options]``."""
    words = [*(["comfyd"] if command.where != "repl" else []), command.name, *map(_placeholder, command.arguments)]
    return " ".join([*words, "[options]"] if command.options else words)


def _placeholder(argument: Argument) -> str:
    text = argument.metavar if argument.required else f"[{argument.metavar}]"
    return f"{text}..." if argument.many else text


def _option(option: Option) -> tuple[str, str]:
    default = f" (default: {option.default})" if option.default is not None else ""
    return f"{', '.join(option.flags)} {option.metavar}".rstrip(), option.help + default


def _section(title: str, entries: list[tuple[str, str]], width: int) -> Iterator[str]:
    if entries:
        yield from ("", title, *_listed(entries, width))


def _listed(entries: list[tuple[str, str]], width: int) -> Iterable[str]:
    """Two columns; the second is wrapped."""
    column = max(len(left) for left, _ in entries) + _INDENT + 2
    for left, right in entries:
        head = f"{'':{_INDENT}}{left}".ljust(column)
        yield from textwrap.wrap(right, max(width, column + 20), initial_indent=head, subsequent_indent=" " * column)


def _wrapped(text: str, width: int) -> list[str]:
    pad = " " * _INDENT
    return textwrap.wrap(text, width, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False)
