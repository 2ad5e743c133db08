"""Primitive nodes: each holds a value, which the editor writes into the widgets it is linked to when a workflow is queued."""

from .kinds import UNSET
from .layouts import Layouts
from .ui import Level
from .virtual import PRIMITIVE


def apply(level: Level, layouts: Layouts) -> None:
    """Writes the values of the level's primitive nodes into the widgets of the nodes beside them.

    Only there: what a subgraph's node shows is not reached, nor what lies behind a reroute. ComfyUI's own export is so.
    """
    primitives = {node.id: node for node in level.nodes.values() if node.type == PRIMITIVE}
    for id_, link in level.links.items() if primitives else ():
        primitive, target = primitives.get(link.origin), level.nodes.get(link.target)
        slot = layouts.fed_by(target).get(id_) if target is not None else None
        layout = layouts.of(target) if target is not None else None
        if primitive is None or slot is None or layout is None or slot.widget not in layout.values:
            continue
        value = primitive.values[0] if isinstance(primitive.values, list) and primitive.values else UNSET
        if value is not UNSET:
            layout.values[slot.widget] = value
