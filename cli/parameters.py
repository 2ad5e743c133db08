"""How a workflow's parameters are shown: as a table or as JSON."""

import json as json_text
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from comfyd.workflow import Parameter
from comfyd.workflow.naming.aliases import ALIASES

from .table import show as show_table
from .terminal import Terminal

HEADERS = ("NAME", "ADDRESS", "NODE", "TYPE", "VALUE", "RANGE")
_CHOICES = 3
_ROOMY = 100
"""Columns from which on there is room for the types, which the values tell anyway."""
_ENDLESS = 1e9  # a limit nobody reaches says nothing (seeds end at 2^64 - 1)


def known(terminal: Terminal, workflow: str) -> list[Parameter] | None:
    """The workflow's parameters by the catalogue on disk, nothing being started; None without one."""
    from comfyd.inuse import catalogue_in_use
    from comfyd.workflow import Catalogue, parameters, prepare

    from .given import load

    if workflow == "-":
        return None
    given = load(terminal, workflow)
    newest = catalogue_in_use(terminal.paths.cache)
    if newest is None:
        return None
    catalogue = Catalogue.read(newest)
    return parameters(prepare(given.api, given.ui, catalogue), catalogue, given.aliases)


def show(found: Sequence[Parameter], terminal: Terminal, *, json: bool, kept: Mapping[str, str] | None = None) -> None:
    """Print the parameters; ``kept`` values stand in for the workflow's own, marked."""
    if json:
        terminal.json({"type": "Parameters", "parameters": [msgspec.to_builtins(parameter) for parameter in found]})
    else:
        narrow = terminal.stdout.isatty() and terminal.columns < _ROOMY
        headers = [header for header in HEADERS if not narrow or header != "TYPE"]
        cells = [row[:3] + row[4:] if narrow else row for row in rows(found, kept or {})]
        optional = [header for header in ("NODE", "TYPE", "RANGE") if header in headers]
        show_table(terminal, headers, cells, flexible=("NODE", "VALUE", "RANGE"), optional=optional)


def rows(found: Sequence[Parameter], kept: Mapping[str, str]) -> list[list[str]]:
    """Cells of the table, those with a plain name first, in the order people read them."""
    ordered = sorted(found, key=_rank)
    return [
        [
            ", ".join(parameter.aliases),
            parameter.address,
            parameter.title,
            parameter.type,
            _value(parameter, kept),
            limits(parameter),
        ]
        for parameter in ordered
    ]


def _rank(parameter: Parameter) -> tuple[int, int, list[int]]:
    """Plain names by their order and ``prompt.2`` before ``prompt.10``, then other names, then what has none."""
    for name in parameter.aliases:
        parts = name.split(".")
        plain = ".".join(part for part in parts if not part.isdecimal())
        if plain in ALIASES:
            return 0, ALIASES.index(plain), [int(part) for part in parts if part.isdecimal()]
    return (1 if parameter.aliases else 2), 0, []


def _value(parameter: Parameter, kept: Mapping[str, str]) -> str:
    for name in (parameter.address, *parameter.aliases):
        if name in kept:
            return f"* {kept[name]}"
    if isinstance(parameter.value, str) and parameter.value:
        return parameter.value
    return json_text.dumps(parameter.value, ensure_ascii=False)


def limits(parameter: Parameter) -> str:
    """``1 to 10000``, or the first of the choices."""
    if parameter.choices is not None:
        first: list[Any] = list(parameter.choices[:_CHOICES])
        more = f" and {len(parameter.choices) - _CHOICES} more" if len(parameter.choices) > _CHOICES else ""
        return ", ".join(map(str, first)) + more
    low, high = parameter.min, parameter.max
    if high is not None and abs(high) >= _ENDLESS:
        high = None
    if low is not None and abs(low) >= _ENDLESS:
        low = None
    if low is None or high is None:
        return f"from {low:g}" if low is not None else f"to {high:g}" if high is not None else ""
    return f"{low:g} to {high:g}"
