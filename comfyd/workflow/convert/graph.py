"""Writes the API graph: every node that runs, its widget values, and links between what is left."""

from typing import Any

from comfyd.protocol import Graph
from comfyd.workflow.graph.wiring import wrapped

from . import virtual
from .failure import not_convertible, unknown_class
from .follow import Follow, Source, Value
from .layouts import Layouts
from .places import Place, runs
from .ui import Node


def write(places: list[Place], layouts: Layouts, follow: Follow) -> Graph:
    """The graph of all places: the workflow's own nodes first, in the order of their numbers."""
    found: dict[str, Any] = {}
    for place in places:
        for node in place.level.nodes.values():
            if runs(node) and not virtual.is_virtual(node.type) and layouts.definition(node) is None:
                found[place.path(node)] = _node(place, node, layouts, follow)
    for node in found.values():
        _drop_loose_ends(node["inputs"], found)
    return dict(sorted(found.items(), key=_number_first))


def _node(place: Place, node: Node, layouts: Layouts, follow: Follow) -> dict[str, Any]:
    if node.type in virtual.NEEDS_EDITOR:
        raise not_convertible(
            node, place.path(node), virtual.NEEDS_EDITOR[node.type], "export the workflow in ComfyUI with 'Export (API)'"
        )
    layout = layouts.of(node)
    if layout is None:
        raise unknown_class(node, place.path(node))
    inputs = {name: wrapped(value) for name, value in layout.values.items() if name in layout.exported}
    for index, slot in enumerate(layout.inputs):
        if slot.link is None:
            continue
        found = follow.source(place, node, index)
        if isinstance(found, Source):
            inputs[slot.name] = [found.path, found.slot]
        elif isinstance(found, Value):
            inputs[slot.name] = wrapped(found.value)
    return {"inputs": inputs, "class_type": node.type, "_meta": {"title": layout.title}}


def _drop_loose_ends(inputs: dict[str, Any], graph: Graph) -> None:
    """Links to nodes that do not run."""
    for name in [name for name, value in inputs.items() if isinstance(value, list) and value[0] not in graph]:
        del inputs[name]


def _number_first(item: tuple[str, Any]) -> tuple[bool, int]:
    whole = item[0].isdecimal() and len(item[0]) < 16
    return not whole, int(item[0]) if whole else 0
