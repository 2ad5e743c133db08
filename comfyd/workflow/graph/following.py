"""Follows links upstream: from an input to the primitive that feeds it, from a sampler to what it samples with."""

from collections.abc import Iterable, Iterator
from typing import Any

from comfyd.workflow.classes.linktypes import ANY, MATCH, fits
from comfyd.workflow.classes.nodeclass import SCALARS

from .wiring import Address, Wiring, is_link

_WILD = frozenset({ANY, MATCH})
_BRANCHES = {False: "on_false", True: "on_true"}
_PLAIN = frozenset({"value", "seed", "noise_seed", "int", "float", "number", "string", "text"})


def settable(wiring: Wiring, address: Address) -> Address | None:
    """The address itself, or that of the primitive node that feeds it, be it through switches; None for anything else."""
    seen: set[Address] = set()
    while address not in seen:
        if wiring.holds_value(address):
            return address
        seen.add(address)
        value = wiring.inputs[address[0]].get(address[1])
        if not is_link(value) or value[0] not in wiring.graph:
            return None
        name = primitive_value(wiring, value[0], value[1]) or branch(wiring, value[0])
        if name is None:
            return None
        address = (value[0], name)
    return None


def value_at(wiring: Wiring, address: Address) -> Any:
    """The constant there, or the default that stands in for it."""
    id_, name = address
    if name in wiring.inputs[id_]:
        return wiring.inputs[id_][name]
    spec = wiring.specs(id_).get(name)
    return None if spec is None else spec.default


def primitive_value(wiring: Wiring, id_: str, slot: int) -> str | None:
    """The one value that a primitive node passes on, such as PrimitiveInt's; None for other nodes."""
    if not 0 <= slot < len(wiring.classes[id_].outputs):
        return None
    received = wiring.classes[id_].outputs[slot]
    specs = wiring.specs(id_)
    found = [name for name, spec in specs.items() if spec.kind in SCALARS and fits(received, spec.type)]
    if len(found) != 1 or (len(specs) > 1 and (found[0] not in _PLAIN or any(wiring.links(id_)))):
        return None
    return found[0]


def branch(wiring: Wiring, id_: str) -> str | None:
    """The input that a switch passes on, where it is known how it stands; None for other nodes."""
    if not wiring.inputs[id_].keys() >= {"switch", "on_true", "on_false"}:
        return None
    at: Address | None = (id_, "switch")
    if not wiring.holds_value((id_, "switch")):
        _, source, slot = next((link for link in wiring.links(id_) if link[0] == "switch"), ("", "", 0))
        name = primitive_value(wiring, source, slot) if source else None
        at = (source, name) if name is not None and wiring.holds_value((source, name)) else None
    return None if at is None else _BRANCHES[bool(value_at(wiring, at))]


def feeds(wiring: Wiring, id_: str, types: frozenset[str]) -> Iterator[tuple[str, str, int]]:
    """(input name, source id, slot) of the links that carry one of these types; through a switch, of the branch that is on."""
    if not wiring.links(id_):
        return
    specs, only = wiring.specs(id_), branch(wiring, id_)
    for name, source, slot in wiring.links(id_):
        outputs = wiring.classes[source].outputs
        received = outputs[slot] if 0 <= slot < len(outputs) else ANY
        wanted = specs[name].kind if name in specs else ANY
        if only in (None, name) and _carries(received, types) and _carries(wanted, types):
            yield name, source, slot


def _carries(type_: Any, types: frozenset[str]) -> bool:
    if not isinstance(type_, str):
        return False
    return type_ in types or type_ in _WILD or ("," in type_ and any(part.strip() in types for part in type_.split(",")))


def upstream(wiring: Wiring, starts: Iterable[tuple[str, int]], types: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Every (node, slot) reached through links of these types, nearest first, each once.

    A node that passes several such inputs through keeps them apart where an output and an input share a name.
    """
    waiting = list(starts)
    seen: set[tuple[str, int]] = set()
    for reached in waiting:
        if reached in seen:
            continue
        seen.add(reached)
        yield reached
        waiting.extend(_through(wiring, *reached, types))


def _through(wiring: Wiring, id_: str, slot: int, types: frozenset[str]) -> list[tuple[str, int]]:
    names = wiring.classes[id_].output_names
    links = list(feeds(wiring, id_, types))
    same = [(source, s) for name, source, s in links if 0 <= slot < len(names) and name == names[slot]]
    return same or [(source, s) for _, source, s in links]


def base_name(name: str) -> str:
    """An input's name without those of the dynamic inputs it is part of: ``prompt`` of ``model.prompt``."""
    return name.rpartition(".")[2]


def named(wiring: Wiring, ids: Iterable[str], names: tuple[str, ...]) -> list[tuple[Address, ...]]:
    """The inputs of these names in these nodes, each a group, as far as somebody can type there."""
    found: list[tuple[Address, ...]] = []
    for id_ in ids:
        specs = wiring.specs(id_)
        known = dict.fromkeys((*specs, *wiring.inputs[id_]))
        for input_ in [input_ for name in names for input_ in known if base_name(input_) == name]:
            address = settable(wiring, (id_, input_))
            if address is not None:
                found.append((address,))
    return found
