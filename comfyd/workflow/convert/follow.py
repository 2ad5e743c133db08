"""From an input back to what feeds it, through everything of the editor that is not there in an API graph.

That is: reroutes, bypassed and muted nodes, the borders of subgraphs, named values. Without recursion, and each way is
walked once.
"""

from typing import Any

import msgspec

from comfyd.workflow.wording import shown

from . import virtual
from .definitions import Levels
from .failure import malformed, named, not_convertible
from .kinds import UNSET
from .layouts import Layouts
from .places import Place
from .promotion import Promotion
from .ui import BYPASSED, INPUTS, MUTED, Link, Node


class Source(msgspec.Struct, frozen=True):
    """The output of a node of the graph."""

    path: str
    slot: int


class Value(msgspec.Struct, frozen=True):
    """A constant that a subgraph's node holds."""

    value: Any


Found = Source | Value | None

_MOST_STEPS = 5_000_000


class _At(msgspec.Struct):
    """A spot on the way back: an input (``into``) or an output of a node, and the type that is asked for."""

    place: Place
    node: Node
    slot: int
    into: bool
    type: str


class Follow:
    """Finds what feeds the inputs of one workflow."""

    def __init__(self, layouts: Layouts, promotion: Promotion, levels: Levels) -> None:
        self._layouts = layouts
        self._promotion = promotion
        self._setters = {
            (id(level), virtual.variable(node)): node
            for level in (levels.root, *levels.order)
            for node in level.nodes.values()
            if node.type in virtual.SETTERS
        }
        self._known: dict[tuple[int, int, int, bool, str], Found] = {}
        self._left = _MOST_STEPS

    def source(self, place: Place, node: Node, slot: int) -> Found:
        """What feeds an input, or None; raises ConversionFailed when the way back is a circle."""
        at: _At | Found = _At(place, node, slot, True, "")
        walked: dict[tuple[int, int, int, bool, str], None] = {}
        while isinstance(at, _At):
            key = (id(at.place), id(at.node), at.slot, at.into, at.type)
            if key in self._known:
                at = self._known[key]
                break
            if key in walked:
                raise malformed(
                    f"The links behind {named(node, place.path(node))} run in a circle", "take one of them out in ComfyUI"
                )
            walked[key] = None
            self._left -= 1
            if self._left < 0:
                raise malformed("The workflow's links lead through too many reroutes to be followed", "link nodes directly")
            at = self._from_input(at) if at.into else self._from_output(at)
        self._known.update(dict.fromkeys(walked, at))
        return at

    def _from_input(self, at: _At) -> _At | Found:
        slots = self._layouts.slots(at.node)
        slot = slots[at.slot] if 0 <= at.slot < len(slots) else None
        link = at.place.level.links.get(slot.link) if slot is not None and slot.link is not None else None
        if slot is None or link is None:
            return None
        if link.origin == INPUTS and at.place.host is not None:
            return self._from_around(at.place, at.place.host, link)
        origin = at.place.level.nodes.get(link.origin)
        return _At(at.place, origin, link.slot, False, at.type or slot.type) if origin is not None else None

    def _from_around(self, place: Place, host: Node, link: Link) -> _At | Found:
        """The input of the subgraph's node; where nothing is linked to it, what its widget holds."""
        ports = place.level.inputs
        if place.around is None or not 0 <= link.slot < len(ports):
            return None
        outer = self._layouts.slots(host)[link.slot]
        if outer.link is not None and outer.link in place.around.level.links:
            return _At(place.around, host, link.slot, True, "")
        value = self._promotion.value(host, ports[link.slot]) if self._promotion.holds(ports[link.slot]) else UNSET
        return Value(value) if value is not UNSET else None

    def _from_output(self, at: _At) -> _At | Found:
        node, place = at.node, at.place
        if node.mode == MUTED:
            return None
        if node.mode == BYPASSED:
            index = self._through(node, at.slot, at.type)
            return _At(place, node, index, True, "") if index is not None else None
        if self._layouts.definition(node) is not None:
            return self._from_inside(place.inside.get(node.id), at)
        if node.type in virtual.REROUTES:
            return _At(place, node, 0, True, at.type)
        if node.type in virtual.GETTERS:
            return self._from_setter(at)
        if node.type in virtual.SETTERS:
            return _At(place, node, 0, True, at.type)
        return None if virtual.is_virtual(node.type) else Source(place.path(node), at.slot)

    def _from_inside(self, place: Place | None, at: _At) -> _At | Found:
        """The node inside a subgraph that gives one of its outputs."""
        if place is None or place.host is None or not 0 <= at.slot < len(place.level.outputs):
            return None
        link = next((place.level.links[x] for x in place.level.outputs[at.slot].links if x in place.level.links), None)
        if link is None:
            return None
        if link.origin == INPUTS:
            return self._from_around(place, place.host, link)
        origin = place.level.nodes.get(link.origin)
        return _At(place, origin, link.slot, False, at.type) if origin is not None else None

    def _from_setter(self, at: _At) -> _At:
        """The node that sets the name this one gets: in its own level, else in those around it; raises where none does."""
        name = virtual.variable(at.node)
        place: Place | None = at.place
        while place is not None:
            setter = self._setters.get((id(place.level), name))
            if setter is not None:
                return _At(place, setter, 0, True, at.type)
            place = place.around
        why = f"no node sets {shown(name)}, which it gets"
        raise not_convertible(at.node, at.place.path(at.node), why, "add the node that sets it, or link the input itself")

    def _through(self, node: Node, slot: int, wanted: str) -> int | None:
        """The input that a bypassed node passes on as this output: the one beside it, else the first of its type."""
        slots = self._layouts.slots(node)
        if wanted in ("*", ""):
            return (slot if slot < len(slots) else 0) if slots else None
        given = self._layouts.output_type(node, slot)
        if 0 <= slot < len(slots) and _fits(slots[slot].type, given) and _fits(slots[slot].type, wanted):
            return slot
        types = [x.type for x in slots]
        if wanted in types:
            return types.index(wanted)
        return next((i for i, x in enumerate(types) if _fits(x, given) and _fits(x, wanted)), None)


def _fits(one: str, other: str) -> bool:
    """Whether the editor links these types: equal, any, or lists with a type in common; without regard to case."""
    if "*" in (one, other) or one == other:
        return True
    names = set(one.lower().split(","))
    return any(name in names or name in ("", "*") for name in other.lower().split(",")) or bool(names & {"", "*"})
