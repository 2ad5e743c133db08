"""Follows links upstream: from an input to the primitive that feeds it, from a sampler to what it samples with."""

from collections.abc import Iterable, Iterator

from .linktypes import fits
from .nodeclass import SCALARS
from .wiring import Address, Wiring, is_link


def settable(wiring: Wiring, address: Address) -> Address | None:
    """The address itself, or that of the primitive node that feeds it; None where it is fed by anything else."""
    seen: set[Address] = set()
    while address not in seen:
        if wiring.holds_value(address):
            return address
        seen.add(address)
        value = wiring.inputs[address[0]].get(address[1])
        if not is_link(value) or value[0] not in wiring.graph:
            return None
        name = primitive_value(wiring, value[0], value[1])
        if name is None:
            return None
        address = (value[0], name)
    return None


def primitive_value(wiring: Wiring, id_: str, slot: int) -> str | None:
    """The one value that a primitive node passes on, such as PrimitiveInt's; None for other nodes."""
    specs = wiring.specs(id_)
    if len(specs) != 1 or not 0 <= slot < len(wiring.classes[id_].outputs):
        return None
    ((name, spec),) = specs.items()
    received = wiring.classes[id_].outputs[slot]
    return name if spec.kind in SCALARS and fits(received, spec.type) else None


def upstream(wiring: Wiring, starts: Iterable[tuple[str, int]], types: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Every (node, slot) reached through links into inputs of these types, nearest first, each once.

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
    links = list(wiring.links_of(id_, types))
    same = [(source, s) for name, source, s in links if 0 <= slot < len(names) and name == names[slot]]
    return same or [(source, s) for _, source, s in links]
