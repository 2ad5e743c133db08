"""Tokens -> a command and its values. Pure: the shell's argument vector and the REPL's lines are read by the same rules.

Options may stand anywhere. Among the words after a workflow, which its parameters pair later (comfyd.workflow.naming.words),
negative numbers and quoted texts are no options: ``cfg -1``, ``prompt "-old house"``. After ``--`` nothing is one.

typer reads the same table for the help pages (app.py) but not these tokens, because a cached ``comfyd run`` parsed by typer 0.29,
which imports pydantic for it, takes 2.7 times as long as ``python -c "import typer, rich"``, and with this parser 1.3 times.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from comfyd.errors import UsageError

from .commands import HELP, SHELL, first_words
from .spec import Argument, Command, Option

_TRIPLE = '"""'
_DIGITS = 18  # as many as fit the 64 bits of the wire


def find(tokens: Sequence[str], commands: Sequence[Command] = SHELL) -> tuple[Command, list[str]]:
    """The command that the tokens name, and the tokens after its name; raises UsageError."""
    for token in tokens:
        if not token.isascii() and any("\ud800" <= character <= "\udfff" for character in token):
            raise UsageError(f"{_quoted(token)} is not valid UTF-8 text; type it anew, or rename the file that it names.")
    for command in commands:
        words = command.name.split()
        if list(tokens[: len(words)]) == words:
            return command, list(tokens[len(words) :])
    raise UsageError(_not_a_command(tokens, commands))


def _not_a_command(tokens: Sequence[str], commands: Sequence[Command]) -> str:
    group = [command.name.split()[1] for command in commands if command.name.split()[0] == tokens[0] != command.name]
    if group and len(tokens) < 2:
        return f"{tokens[0]} needs one of {', '.join(group)}, for example: comfyd {tokens[0]} {group[0]}."
    word, known, after = (tokens[1], group, f" of {tokens[0]}") if group else (tokens[0], first_words(commands), "")
    kind = "option" if word.startswith("-") else "command"
    return f"There is no {kind} {_quoted(word)}{after}{_nearest(word, known, 'comfyd --help lists the commands')}"


def parse(command: Command, tokens: Sequence[str]) -> dict[str, Any]:
    """A value for each argument and option, or ``help`` alone, with the workflow whose parameters it is to list.

    Raises UsageError with the fix.
    """
    values: dict[str, Any] = {option.name: option.default if option.metavar else False for option in command.options}
    positional: list[str] = []
    left = deque(tokens)
    while left:
        token = left.popleft()
        if _takes_line(command, positional):
            positional += [token, *left]
            break
        if token == "--":
            positional += left
            break
        exact = _option(command, token)
        if exact is HELP:
            return _help(command, positional)
        if exact is not None:
            values[exact.name] = _option_value(exact, token, left)
        elif not token.startswith("-") or token == "-" or _is_word(command, positional, token):
            positional.append(token)
        else:
            left.extendleft(reversed(_taken_apart(command, token)))
    return values | _assign(command, positional)


def _help(command: Command, positional: Sequence[str]) -> dict[str, Any]:
    return {"help": True, "workflow": positional[0] if positional and _takes_words(command) else None}


def _takes_words(command: Command) -> bool:
    return bool(command.arguments) and command.arguments[-1].kind == "parameters"


def _takes_line(command: Command, positional: Sequence[str]) -> bool:
    """Whether all that is left is another command's."""
    at = len(positional)
    return at < len(command.arguments) and command.arguments[at].kind == "line"


def _option(command: Command, token: str) -> Option | None:
    return next((option for option in (*command.options, HELP) if token in option.flags), None)


def _is_word(command: Command, positional: list[str], token: str) -> bool:
    """Whether a token with a dash is among the words for parameters, after the first, and can be no option."""
    if not _takes_words(command):
        return False
    missing = bool(positional) and left_out(command.arguments[0], positional[0])
    if len(positional) < len(command.arguments) - missing:
        return False
    return token[1:2].isdecimal() or (token[1:2] == "." and token[2:3].isdecimal()) or any(map(str.isspace, token))


def _taken_apart(command: Command, token: str) -> list[str]:
    """``--x=1``, ``-n5``, ``-fn5`` as the tokens they stand for."""
    name, equals, value = token.partition("=")
    option = _option(command, name)
    if option is not None and equals and option.metavar:
        return [name, value]
    flags = [flag for known in (*command.options, HELP) for flag in known.flags]
    lacks_dash = len(name) > 3 and any(flag.startswith(f"-{name}") for flag in flags)
    first = None if token.startswith("--") or lacks_dash else _option(command, token[:2])
    if first is not None and first.metavar:
        return [token[:2], token[2:]]
    if first is not None and not equals and _option(command, f"-{token[2]}"):
        return [token[:2], "-" + token[2:]]
    fix = _nearest(f"-{name}" if lacks_dash else name, flags, f"comfyd {command.name} --help lists them")
    raise UsageError(f"{command.name} has no option {_quoted(token)}{fix}")


def _option_value(option: Option, flag: str, left: deque[str]) -> Any:
    if not option.metavar:
        return True
    if not left:
        raise UsageError(f"{flag} needs {option.metavar} after it.")
    text = left.popleft()
    return _number(text, f"{flag} {option.metavar}") if option.kind == "number" else text


def _assign(command: Command, positional: list[str]) -> dict[str, Any]:
    left = deque(positional)
    values = {argument.name: _take(command, argument, left) for argument in command.arguments}
    if left:
        raise UsageError(f"{command.name} takes no {_quoted(left[0])}; comfyd {command.name} --help shows what it takes.")
    return values


def _take(command: Command, argument: Argument, left: deque[str]) -> Any:
    if argument.required and not left:
        raise UsageError(f"{command.name} needs {argument.metavar}: {argument.help}.")
    if left and not argument.many and left_out(argument, left[0]):
        return None
    taken = [left.popleft() for _ in range(len(left) if argument.many else min(1, len(left)))]
    if argument.kind == "parameters":
        _check_words(taken)
        return taken
    read = [_number(text, argument.metavar) if argument.kind in ("job", "number") else text for text in taken]
    return read if argument.many else next(iter(read), None)


def left_out(argument: Argument, word: str) -> bool:
    """Whether a number that may be missing is: names and values may follow it."""
    return not argument.required and argument.kind in ("job", "number") and not (word.isascii() and word.isdigit())


def pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """``name value`` pairs, each value one word: all that can be told without a catalogue; raises UsageError."""
    for name in words[::2]:
        _check_separated(name)
    if len(words) % 2:
        raise UsageError(
            f"{_quoted(words[-1])} has no value; parameters are pairs (seed 42), and a value with spaces needs quotes."
        )
    return list(zip(words[::2], words[1::2], strict=True))


def _check_words(words: Sequence[str]) -> None:
    """Refuse what no workflow's parameters can make sense of."""
    if words:
        _check_separated(words[0])
    if len(words) == 1:
        raise UsageError(f"{_quoted(words[0])} has no value; parameters are pairs (seed 42).")


def _check_separated(name: str) -> None:
    key, equals, value = name.partition("=")
    if equals and key.replace("_", "").replace(".", "").isalnum():
        raise UsageError(
            f"Write {_quoted(f'{key} {value}')} instead of {_quoted(name)}: names and values are separated by a space."
        )


def split(line: str) -> list[str]:
    """A line's tokens as a shell would see them, but that an apostrophe within a word is one, and texts of several lines
    stand between triple quotes; raises UsageError."""
    from .completion.words import parts  # the shell has split the argument vector already

    if unfinished(line):
        raise UsageError(f"A text is not closed; end it with {_TRIPLE}.")
    found = parts(line)
    if found and found[-1].open:
        raise UsageError(
            'A quote is not closed; put "…" around a value with spaces, and \\ before a quote that is meant as such.'
        )
    if (len(line) - len(line.rstrip("\\"))) % 2:
        raise UsageError("The line ends in a backslash; write two for one.")
    return [part.word for part in found]


def unfinished(line: str) -> bool:
    """Whether a text between triple quotes goes on in the next line."""
    return line.count(_TRIPLE) % 2 == 1


def _number(text: str, what: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text):
        return int(text)
    raise UsageError(f"{what} is a number from 1 on, not {_quoted(text)}.")


def _quoted(text: str) -> str:
    from comfyd.workflow.wording import shown

    return shown(text)


def _nearest(word: str, known: Sequence[str], otherwise: str) -> str:
    from comfyd.workflow.nearest import did_you_mean

    return did_you_mean(word, known) or f"; {otherwise}."
