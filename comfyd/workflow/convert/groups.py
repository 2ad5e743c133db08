"""Group nodes, which came before subgraphs: each is made a subgraph of its own, whose nodes are numbered from 0.

What a group's definition leaves open follows from the classes in it: which inputs and outputs are left to the outside, how
these are named, and which of the group node's values belong to which node.
"""

from collections.abc import Iterator
from typing import Any

from comfyd.workflow.classes.catalogue import Catalogue

from .face import Entry, Face, face
from .failure import malformed, named
from .layout import lay_out
from .ui import INPUTS, OUTPUTS, Level, Link, Node, Port, Slot, read_level
from .virtual import PRIMITIVE, REROUTES

_MOST_GROUPS = 2_000
_MOST_NODES = 200_000


def group_definitions(ui: dict[str, Any], levels: list[Level], catalogue: Catalogue) -> dict[str, Level]:
    """A definition for each group node of the levels, whose type becomes that definition's id."""
    extra = ui.get("extra")
    groups = extra.get("groupNodes") if isinstance(extra, dict) else None
    found: dict[str, Level] = {}
    count = 0
    pending = list(levels) if isinstance(groups, dict) and groups else []
    for level in pending:
        for node in level.nodes.values():
            raw = groups.get(_group_name(node)) if isinstance(groups, dict) else None
            if isinstance(raw, dict):
                inner = _Group(raw, node, catalogue).level()
                count += len(inner.nodes)
                if len(found) >= _MOST_GROUPS or count > _MOST_NODES:
                    raise malformed("The workflow's group nodes unfold into too many nodes", "use fewer of them, or subgraphs")
                node.title = node.title or _group_name(node)
                node.type = inner.id = f"group {len(found)}"
                found[inner.id] = inner
                pending.append(inner)
    return found


def _group_name(node: Node) -> str:
    return node.type[9:] if node.type.startswith(("workflow/", "workflow>")) else ""


class _Group:
    """One group node, unfolded with the values it holds."""

    def __init__(self, raw: dict[str, Any], host: Node, catalogue: Catalogue) -> None:
        entries = raw.get("nodes")
        entries = entries if isinstance(entries, list) else []
        numbered = [{**entry, "id": index} for index, entry in enumerate(entries) if isinstance(entry, dict)]
        self._level = read_level({"nodes": numbered}, f"The group {named(host)}")
        self._catalogue = catalogue
        self._config = raw.get("config")
        self._values = iter(host.values if isinstance(host.values, list) else ())
        self._seen: dict[str, int] = {}
        outside = _lists(raw.get("external"), 2)
        self._shown = {(str(x[0]), x[1]) for x in outside if isinstance(x[0], int) and isinstance(x[1], int)}
        self._used = self._link(raw)
        self._modern = self._lists_widgets()

    def level(self) -> Level:
        """The group as a definition."""
        nodes = list(self._level.nodes.values())
        later = [self._fill(node) for node in nodes]
        for node, converted in zip(nodes, later, strict=True):
            for name in converted:
                self._offer_input(node, name)
        for node in nodes:
            self._offer_outputs(node)
        return self._level

    def _link(self, raw: dict[str, Any]) -> set[tuple[str, int]]:
        """Lays the links inside the group; the outputs that are used inside."""
        used: set[tuple[str, int]] = set()
        for number, link in enumerate(_lists(raw.get("links"), 4)):
            origin, slot, target, index = (x if isinstance(x, int) else -1 for x in link[:4])
            inner = self._level.nodes.get(str(target))
            if str(origin) in self._level.nodes and inner is not None:
                while len(inner.inputs) <= index < 1_000:
                    inner.inputs.append(Slot("", "*"))
                if 0 <= index < len(inner.inputs):
                    inner.inputs[index].link = f"inside {number}"
                    self._level.links[f"inside {number}"] = Link(str(origin), slot, inner.id, index)
                    used.add((str(origin), slot))
        return used

    def _fill(self, node: Node) -> list[str]:
        """Gives a node its values and its inputs from outside; the inputs that were widgets follow later."""
        shown = face(self._catalogue, node.type)
        if shown is not None:
            return self._fill_known(node, shown)
        if node.type == PRIMITIVE and any(origin == node.id for origin, _ in self._used):
            self._fill_primitive(node)
        elif node.type in REROUTES and not (self._fed(node) and self._hides(node)):
            self._offer_reroute(node)
        return []

    def _fill_known(self, node: Node, shown: Face) -> list[str]:
        own = lay_out(node, shown).values
        converted: list[str] = []
        left = len(node.values) if isinstance(node.values, list) else 0
        fed = {slot.name for slot in node.inputs if slot.link is not None}
        slots = {slot.name for slot in node.inputs if slot.widget is not None}
        for entry in shown.widgets:
            if entry.name in slots and (entry.name in fed or not self._modern):
                converted.append(entry.name)
            elif left > 0:  # else the class has got this widget since the group was saved
                self._name(node, entry.name)
                own |= {widget.name: value for widget, value in self._take(entry)}
            left -= sum(widget.saved for widget in entry.widgets)
        node.values = own
        for entry in shown.sockets:
            if entry.name not in fed:
                self._offer_input(node, entry.name)
        return [name for name in converted if name not in fed]

    def _lists_widgets(self) -> bool:
        """Whether the group was saved with a slot for every widget, so that a slot does not mean a widget made an input."""
        for node in self._level.nodes.values():
            shown = face(self._catalogue, node.type)
            count = len(node.values) if isinstance(node.values, list) else 0
            slots = {slot.name for slot in node.inputs if slot.widget is not None}
            if any(entry.name not in slots for entry in (shown.widgets if shown is not None else ())[:count]):
                return False
        return True

    def _take(self, entry: Entry) -> Iterator[tuple[Any, Any]]:
        for widget in entry.widgets:
            if widget.saved:
                value = next(self._values, self)
                if value is not self:
                    yield widget, value

    def _fill_primitive(self, node: Node) -> None:
        kind = node.outputs[0].type if node.outputs else "*"
        self._name(node, "value")
        own = node.values if isinstance(node.values, list) else []
        taken = [next(self._values, own[0] if own else None)]
        for _ in range({"INT": 1, "FLOAT": 1, "COMBO": 2}.get(kind, 0)):
            next(self._values, None)
        node.values = taken

    def _offer_reroute(self, node: Node) -> None:
        """A reroute at the edge is named after the type of what it passes on."""
        feeds = [x for x in self._level.links.values() if x.origin == node.id]
        types = [self._level.nodes[x.target].inputs[x.target_slot].type for x in feeds]
        kind = next((x for x in types if x != "*"), next((x.type for x in node.outputs if x.type != "*"), "*"))
        if not node.inputs:
            node.inputs.append(Slot("", "*"))
        if not self._fed(node):
            node.inputs[0].name = kind
            self._offer_input(node, kind)

    def _offer_input(self, node: Node, name: str) -> None:
        """Makes an input of a node one of the group, unless the group hides it."""
        shown = self._name(node, name)
        if self._setting(node, "input", name).get("visible") is False:
            return
        slot = next((x for x in node.inputs if x.name == name), None)
        if slot is None:
            slot = Slot(name, "*")
            node.inputs.append(slot)
        link = f"outside {len(self._level.inputs)}"
        self._level.links[link] = Link(INPUTS, len(self._level.inputs), node.id, node.inputs.index(slot))
        self._level.inputs.append(Port(shown, slot.type, [link]))
        slot.link = link

    def _offer_outputs(self, node: Node) -> None:
        shown = face(self._catalogue, node.type)
        count = len(shown.outputs) if shown is not None else len(node.outputs)
        if node.type == PRIMITIVE or (node.type in REROUTES and self._fed(node) and self._hides(node)):
            return
        for index in range(count):
            hidden = (node.id, index) in self._used and (node.id, index) not in self._shown
            visible = self._setting(node, "output", str(index)).get("visible")
            if visible if isinstance(visible, bool) else not hidden:
                link = f"out {len(self._level.outputs)}"
                self._level.links[link] = Link(node.id, index, OUTPUTS, len(self._level.outputs))
                self._level.outputs.append(Port(link, "*", [link]))

    def _fed(self, node: Node) -> bool:
        return any(slot.link is not None and slot.link.startswith("inside") for slot in node.inputs)

    def _hides(self, node: Node) -> bool:
        return (node.id, 0) in self._used and (node.id, 0) not in self._shown

    def _name(self, node: Node, name: str) -> str:
        """The name of an input of the group: its own, made unique with the node's title."""
        chosen = self._setting(node, "input", name).get("name")
        label = next((slot.label for slot in node.inputs if slot.name == name and slot.label), "")
        shown = key = chosen if isinstance(chosen, str) else label or name
        if (node.type == PRIMITIVE and node.title) or shown in self._seen:
            prefix = f"{node.title or node.type} "
            shown = key = prefix + name
            if shown in self._seen:
                shown = f"{prefix}{self._seen[shown]} {name}"
        self._seen[key] = self._seen.get(key, 1) + 1
        return shown

    def _setting(self, node: Node, side: str, name: str) -> dict[str, Any]:
        found: Any = self._config
        for part in (node.id, side, name):
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


def _lists(raw: Any, least: int) -> list[list[Any]]:
    return [x for x in raw if isinstance(x, list) and len(x) >= least] if isinstance(raw, list) else []
