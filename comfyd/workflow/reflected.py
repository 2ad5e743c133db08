"""Overrides put into the UI form too, so that a file saved with it opens in ComfyUI's editor with the values that made it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from comfyd.errors import Refused
from comfyd.protocol import Graph

from .classes.catalogue import Catalogue
from .convert import convert
from .convert.definitions import Levels, read_levels
from .convert.face import Face, face
from .convert.layout import lay_out
from .convert.ui import Level, Node
from .graph.wiring import wrapped

_PROBE = object()
_NOW = datetime(2000, 1, 1)
"""Any moment, so that names of files with the time in them are the same at each conversion."""
_TRIES = 6
"""Widgets that are tried for a value which the node's own does not hold."""
_CONVERSIONS = 24
"""As many as are made in all before what is left stays as it was."""


def reflected(ui: dict[str, Any], graph: Graph, overrides: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """The UI form with the values of these addresses in the widgets that they come from.

    A value stays as it was where no widget can hold it without changing something else: one that several nodes share,
    or that of a subgraph which is used twice. What comes out converts to exactly what went in, but for the values.
    """
    try:
        copy: dict[str, Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(ui))
        reflection = _Reflection(copy, graph, catalogue)
        reflection.put(overrides)
    except (Refused, RecursionError):
        return ui
    return copy


def holds(ui: dict[str, Any], values: Mapping[str, Any], catalogue: Catalogue) -> bool:
    """Whether the UI form converts to a graph with these values at these addresses."""
    try:
        graph = convert(ui, catalogue, _NOW)
    except (Refused, RecursionError):
        return False
    inputs = {f"{id_}.{name}": value for id_, node in graph.items() for name, value in node["inputs"].items()}
    return all(address in inputs and inputs[address] == wrapped(value) for address, value in values.items())


class _Reflection:
    """A UI form that takes values, and what it has to convert to."""

    def __init__(self, ui: dict[str, Any], graph: Graph, catalogue: Catalogue) -> None:
        self._ui, self._graph, self._catalogue = ui, graph, catalogue
        self._levels = read_levels(ui, catalogue)
        self._left = _CONVERSIONS
        self._expected = self._converted()

    def put(self, overrides: Mapping[str, Any]) -> None:
        """All at once, which nearly always fits; else one by one."""
        wanted = [(*split, value) for address, value in overrides.items() if (split := self._split(address))]
        places = [place for id_, input_, value in wanted if (place := self._own(id_, input_, value))]
        if len(places) == len(wanted) and self._fits(places):
            return
        for id_, input_, value in wanted:
            own = self._own(id_, input_, value)
            for place in [*([own] if own else []), *self._equal(id_, input_, value)]:
                if self._fits([place]):
                    break

    def _converted(self) -> Graph:
        return convert(self._ui, self._catalogue, _NOW)

    def _fits(self, places: list["_Place"]) -> bool:
        """Put the values; take them back where the outcome differs in anything else."""
        if self._left == 0:
            return False
        self._left -= 1
        expected = dict(self._expected)
        for place in places:
            node = expected[place.id]
            expected[place.id] = node | {"inputs": node["inputs"] | {place.input: wrapped(place.value)}}
            place.put()
        if self._converted() == expected:
            self._expected = expected
            return True
        for place in places:
            place.restore()
        return False

    def _split(self, address: str) -> tuple[str, str] | None:
        """The node and the input of an address, where the UI form has it too; both may hold dots."""
        parts = address.split(".")
        for count in range(1, len(parts)):
            id_, input_ = ".".join(parts[:count]), ".".join(parts[count:])
            if id_ in self._expected:
                same = self._graph.get(id_, {}).get("class_type") == self._expected[id_]["class_type"]
                return (id_, input_) if same and input_ in self._expected[id_]["inputs"] else None
        return None

    def _own(self, id_: str, input_: str, value: Any) -> "_Place | None":
        """The node's own widget for the input."""
        found = _node(self._ui, self._levels, id_)
        shown = face(self._catalogue, found[0].type) if found is not None else None
        if found is None or shown is None:
            return None
        node, raw = found
        key = _key(node, shown, input_)
        return None if key is None else _Place(id_, input_, value, raw["widgets_values"], key, raw["widgets_values"][key])

    def _equal(self, id_: str, input_: str, value: Any) -> Iterator["_Place"]:
        """Widgets anywhere, such as those of a primitive node or of a subgraph's node, that hold what the input has now."""
        now = self._expected[id_]["inputs"][input_]
        found = (
            _Place(id_, input_, value, values, key, now)
            for values in _widget_values(self._ui)
            for key, held in (values.items() if isinstance(values, dict) else enumerate(values))
            if type(held) is type(now) and held == now
        )
        return islice(found, _TRIES)


class _Place(msgspec.Struct):
    """One widget in the UI form, the input it may feed, and the value it is to hold."""

    id: str
    input: str
    value: Any
    values: Any
    """What the node's widgets hold: a list, or a dict by name."""
    key: Any
    before: Any

    def put(self) -> None:
        self.values[self.key] = self.value

    def restore(self) -> None:
        self.values[self.key] = self.before


def _widget_values(ui: dict[str, Any]) -> Iterator[Any]:
    """The values of every node, those of the workflow itself first."""
    for level in (ui, *_raw_definitions(ui).values()):
        nodes = level.get("nodes")
        for node in nodes if isinstance(nodes, list) else ():
            if isinstance(node.get("widgets_values"), list | dict):
                yield node["widgets_values"]


def _node(ui: dict[str, Any], levels: Levels, path: str) -> tuple[Node, dict[str, Any]] | None:
    """A node by its path, and what it was read from; None inside a subgraph that more than one node stands for."""
    *hosts, last = path.split(":")
    level, raw = levels.root, ui
    for host in hosts:
        kind = level.nodes[host].type if host in level.nodes else ""
        raws = _raw_definitions(ui)
        if kind not in levels.definitions or kind not in raws or _uses(levels, kind) != 1:
            return None
        level, raw = levels.definitions[kind], raws[kind]
    return _entry(level, raw, last)


def _entry(level: Level, raw: dict[str, Any], id_: str) -> tuple[Node, dict[str, Any]] | None:
    """Nodes are read in their order, and may be given other ids."""
    if id_ not in level.nodes:
        return None
    entry = raw["nodes"][list(level.nodes).index(id_)]
    return (level.nodes[id_], entry) if isinstance(entry.get("widgets_values"), list | dict) else None


def _raw_definitions(ui: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = ui.get("definitions")
    subgraphs = found.get("subgraphs") if isinstance(found, dict) else None
    raws = subgraphs if isinstance(subgraphs, list) else ()
    return {raw["id"]: raw for raw in raws if isinstance(raw, dict) and isinstance(raw.get("id"), str)}


def _uses(levels: Levels, kind: str) -> int:
    return sum(node.type == kind for level in (levels.root, *levels.order) for node in level.nodes.values())


def _key(node: Node, shown: Face, input_: str) -> Any:
    """Where among the node's widget values this input's is; None where it is not there."""
    if isinstance(node.values, dict):
        return input_ if input_ in node.values else None
    for index in range(len(node.values)):
        probed = [*node.values[:index], _PROBE, *node.values[index + 1 :]]
        if lay_out(msgspec.structs.replace(node, values=probed), shown).values.get(input_) is _PROBE:
            return index
    return None
