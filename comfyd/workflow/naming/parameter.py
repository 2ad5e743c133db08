"""Every value of a graph that can be set, with its address, aliases and limits."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from comfyd.errors import ComfydError
from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.classes.nodeclass import Input
from comfyd.workflow.graph.prompts import Group
from comfyd.workflow.graph.wiring import Address, Wiring, is_link

from .address import Names, canonical


class Parameter(msgspec.Struct, frozen=True):
    """One input that is a value, not a link."""

    address: str
    """``5.seed``."""
    aliases: tuple[str, ...]
    """Names that set it, those of its user first: ``seed``, or where there are several ``base.seed``, ``lora.2.strength``."""
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


def parameters(graph: Graph, catalogue: Catalogue, own: Mapping[str, str] | None = None) -> list[Parameter]:
    """The parameters in the graph's order, ``own`` being its user's names; raises UnknownNode or WorkflowInvalid."""
    return parameters_of(Names.of(graph, catalogue, own))


def parameters_of(names: Names) -> list[Parameter]:
    """The same of a graph whose names are known."""
    wiring, aliases = names.wiring, _aliases(names)
    return [
        _parameter(wiring, (id_, name), spec, aliases.get((id_, name), ()))
        for id_ in wiring.graph
        for name, spec in wiring.specs(id_).items()
        if wiring.holds_value((id_, name))
    ]


def _aliases(names: Names) -> dict[Address, tuple[str, ...]]:
    found: dict[Address, tuple[str, ...]] = {}
    for alias, group in (*_own(names), *names.aliases.listed()):
        for address in group:
            if alias not in found.get(address, ()):
                found[address] = (*found.get(address, ()), alias)
    return found


def _own(names: Names) -> Iterator[tuple[str, Group]]:
    for alias in names.own:
        with suppress(ComfydError):  # a broken one is told to whoever uses it
            yield alias, names.find(alias)


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
