"""Binds overrides into a graph and proves that the result can run, before a job exists."""

from collections.abc import Sequence
from typing import Any

import msgspec

from comfyd.errors import Refused
from comfyd.protocol import Graph

from .address import canonical, find
from .catalogue import Catalogue
from .check import check, refused
from .copying import copied, own_copy
from .nodeclass import Input
from .reading import read
from .values import Rejected
from .wiring import Address, Wiring
from .wording import shown


class Bound(msgspec.Struct, frozen=True):
    """A graph that can run, sharing nothing with the one it came from."""

    graph: Graph
    """Overrides applied, constants converted as ComfyUI converts them, ``ignored`` output nodes left out."""
    overrides: dict[str, Any]
    """Canonical address (``5.seed``) -> typed value."""
    ignored: dict[str, str] = {}
    """Output nodes that cannot run while others can (ComfyUI passes over them too), with the reason."""


def bind(graph: Graph, overrides: Sequence[tuple[str, Any]], catalogue: Catalogue) -> Bound:
    """Apply overrides, then check the whole graph; linear in its size.

    Raises UnknownNode, UnknownParameter, AmbiguousParameter, InvalidValue, MissingModel or WorkflowInvalid. Where an
    older catalogue may be the cause, the error's ``classes`` name those to look at anew.
    """
    new = own_copy(graph)
    wiring = Wiring(new, catalogue)
    stale: list[Refused] = []
    applied: dict[str, Any] = {}
    for name, value in overrides:
        for address in find(wiring, name):
            applied[canonical(address)] = _apply(wiring, name, address, copied(value), stale)
    ignored = check(wiring, stale)
    for id_ in ignored:
        del new[id_]
    return Bound(new, applied, ignored)


def _apply(wiring: Wiring, name: str, address: Address, value: Any, stale: list[Refused]) -> Any:
    id_, input_ = address
    spec = wiring.specs(id_).get(input_) or _undeclared(input_, wiring.inputs[id_].get(input_))
    try:
        value = read(spec, value)
    except Rejected as rejected:
        error = refused(_subject(wiring, name, address), rejected, wiring.classes[id_].name)
        if not error.classes:
            raise error from rejected
        stale.append(error)
    wiring.inputs[id_][input_] = {"__value__": value} if isinstance(value, list) else value
    return copied(value)


def _undeclared(name: str, current: Any) -> Input:
    """An input that the class does not declare is read like the value it holds."""
    kind = {str: "STRING", bool: "BOOLEAN", int: "INT", float: "FLOAT"}.get(type(current), "*")
    return Input(name=name, type=kind, kind=kind)


def _subject(wiring: Wiring, name: str, address: Address) -> str:
    label = wiring.label(address)
    return label if name == canonical(address) else f"{shown(name)}, which is {label},"
