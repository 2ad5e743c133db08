"""The command help at the prompt: the overview, a command's page, or that of a parameter."""

import json as json_text
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from comfyd.errors import ExitStatus

from ..commands import REPL, first_words
from ..help import help_ as help_on_commands
from ..parameters import limits
from ..parse import find
from ..text import printable, wrapped
from .session import Session

if TYPE_CHECKING:
    from comfyd.workflow import Parameter

    from ..completion.index import Index

_INDENT = 11


def help_(session: Session, *, topic: Sequence[str]) -> int:
    """Explain a command or a parameter; a command's page lists the parameters where it takes any."""
    if len(topic) == 1 and topic[0] not in first_words(REPL):
        found = session.index()
        parameter = found.parameter(topic[0]) if found is not None else None
        if found is not None and parameter is not None:
            return _page(session, found, parameter, topic[0])
    takes_values = bool(topic) and "parameters" in [argument.kind for argument in find(topic, REPL)[0].arguments]
    return help_on_commands(session.terminal, command=topic, commands=REPL, workflow=session.workflow if takes_values else None)


def _page(session: Session, index: "Index", parameter: "Parameter", name: str) -> int:
    terminal = session.terminal
    terminal.heading(printable(name))
    for key, text in facts(parameter, index, session.values, name):
        lines = wrapped(printable(text), max(terminal.columns - _INDENT - 2, 20)).split("\n")
        for number, line in enumerate(lines):
            terminal.out(f"  {'' if number else key:{_INDENT - 2}}{line}")
    return ExitStatus.DONE


def facts(parameter: "Parameter", index: "Index", values: dict[str, str], name: str) -> Iterator[tuple[str, str]]:
    """What is known of a parameter, one fact after the other."""
    others = [other for other in (*parameter.aliases, parameter.address) if other != name]
    yield "node", f"{parameter.title} ({parameter.class_type})" if parameter.title != parameter.class_type else parameter.title
    if others:
        yield "also", ", ".join(others)
    yield "type", parameter.type
    if parameter.choices is None and limits(parameter):
        yield "range", limits(parameter) + (f", in steps of {parameter.step:g}" if parameter.step else "")
    if parameter.choices is not None:
        yield "choices", ", ".join(map(str, parameter.choices)) or "none"
    if index.is_seed(name):
        yield "takes", "random, +1 and -1 as well"
    if parameter.default is not None:
        yield "default", _text(parameter.default)
    set_to = next((values[each] for each in (name, *others) if each in values), None)
    yield "now", _text(parameter.value) if set_to is None else f"{_text(set_to)} (the workflow has {_text(parameter.value)})"


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value else json_text.dumps(value, ensure_ascii=False)
