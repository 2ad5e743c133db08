"""Every value of a graph that can be set, with its address, aliases and limits."""

from typing import Any

import msgspec

from comfyd.protocol import Graph

from .address import canonical
from .aliases import ALIASES, targets
from .catalogue import Catalogue
from .copying import own_copy
from .nodeclass import Input
from .wiring import Address, Wiring, is_link


class Parameter(msgspec.Struct, frozen=True):
    """One input that is a value, not a link."""

    address: str
    """``5.seed``."""
    aliases: tuple[str, ...]
    """Plain names that set it; an alias that several parameters answer to is listed with each of them."""
    title: str
    class_type: str
    type: str
    """``INT``, ``FLOAT``, ``STRING``, ``BOOLEAN``, ``COMBO`` or the type as ComfyUI names it."""
    value: Any = None
    default: Any = None
    choices: tuple[Any, ...] | None = None
    min: float | None = None
    max: float | None = None
    step: float | None = None


def parameters(graph: Graph, catalogue: Catalogue) -> list[Parameter]:
    """The parameters in the graph's order; raises UnknownNode or WorkflowInvalid."""
    wiring = Wiring(own_copy(graph), catalogue)
    aliases = _aliases(wiring)
    return [
        _parameter(wiring, (id_, name), spec, aliases.get((id_, name), ()))
        for id_ in wiring.graph
        for name, spec in wiring.specs(id_).items()
        if wiring.holds_value((id_, name))
    ]


def _aliases(wiring: Wiring) -> dict[Address, tuple[str, ...]]:
    found: dict[Address, tuple[str, ...]] = {}
    for alias in ALIASES:
        for group in targets(wiring, alias):
            for address in group:
                found[address] = (*found.get(address, ()), alias)
    return found


def _parameter(wiring: Wiring, address: Address, spec: Input, aliases: tuple[str, ...]) -> Parameter:
    id_, name = address
    value = wiring.inputs[id_].get(name, spec.default)
    return Parameter(
        address=canonical(address),
        aliases=aliases,
        title=wiring.title(id_),
        class_type=wiring.classes[id_].name,
        type=spec.kind,
        value=None if is_link(value) else value,
        default=spec.default,
        choices=spec.choices,
        min=spec.minimum,
        max=spec.maximum,
        step=spec.step,
    )
