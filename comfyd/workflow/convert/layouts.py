"""The layouts of all nodes of a workflow, made when they are asked for."""

from typing import Any

from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.replaced import replacement

from . import virtual
from .definitions import Levels
from .face import face
from .layout import Layout, lay_out
from .ui import Level, Node, Slot


class Layouts:
    """Layouts of nodes, nodes that stand for subgraphs among them."""

    def __init__(self, levels: Levels, catalogue: Catalogue) -> None:
        self._definitions = levels.definitions
        self._catalogue = catalogue
        self._known: dict[int, Layout | None] = {}
        self._slots: dict[int, list[Slot]] = {}
        self._fed: dict[int, tuple[list[Slot], dict[str, Slot]]] = {}

    def of(self, node: Node) -> Layout | None:
        """The layout of a node whose class the engine has, else None."""
        if id(node) not in self._known:
            shown = None if virtual.is_virtual(node.type) else face(self._catalogue, node.type)
            self._known[id(node)] = lay_out(node, shown) if shown is not None else self._of_old_name(node)
        return self._known[id(node)]

    def _of_old_name(self, node: Node) -> Layout | None:
        """The layout of a node whose class has another name now, with the inputs it had."""
        found = replacement(self._catalogue, node.type)
        if found is None:
            return None
        shown = face(self._catalogue, found["new_node_id"])
        if found.get("input_mapping") is None and shown is not None:
            return lay_out(node, shown)
        linked = {slot.name for slot in node.inputs if slot.widget is None}
        names = [x for x in found.get("old_widget_ids") or _mapped(found["input_mapping"]) if x not in linked]
        values = dict(zip(names, node.values if isinstance(node.values, list) else (), strict=False))
        return Layout(node.inputs, values, set(values), [slot.type for slot in node.outputs], node.title or node.type)

    def definition(self, node: Node) -> Level | None:
        """The subgraph that the node stands for, if it does."""
        return self._definitions.get(node.type)

    def slots(self, node: Node) -> list[Slot]:
        """The inputs of a node in the editor's order; those of a subgraph's node follow the definition."""
        definition = self._definitions.get(node.type)
        if definition is None:
            layout = self.of(node)
            return layout.inputs if layout is not None else node.inputs
        slots = self._slots.get(id(node), [])
        if len(slots) != len(definition.inputs) or not slots:
            saved = {slot.name: slot.link for slot in (*node.inputs, *slots)}
            slots = [Slot(port.name, port.type, saved.get(port.name)) for port in definition.inputs]
            self._slots[id(node)] = slots
        return slots

    def fed_by(self, node: Node) -> dict[str, Slot]:
        """The inputs of a node by the link that feeds them."""
        slots = self.slots(node)
        known = self._fed.get(id(node))
        if known is None or known[0] is not slots:
            known = self._fed[id(node)] = slots, {slot.link: slot for slot in reversed(slots) if slot.link is not None}
        return known[1]

    def feed(self, node: Node, slot: Slot, link: str) -> None:
        """Links an input anew."""
        fed = self.fed_by(node)
        if slot.link is not None:
            fed.pop(slot.link, None)
        fed[link] = slot
        slot.link = link

    def output_type(self, node: Node, slot: int) -> str:
        """The type of an output; anything for an output that is not there."""
        layout = self.of(node)
        outputs = layout.outputs if layout is not None else [x.type for x in node.outputs]
        return outputs[slot] if 0 <= slot < len(outputs) else "*"


def _mapped(mapping: Any) -> list[str]:
    found = [entry.get("old_id") for entry in mapping if isinstance(entry, dict)] if isinstance(mapping, list) else []
    return [name for name in found if isinstance(name, str)]
