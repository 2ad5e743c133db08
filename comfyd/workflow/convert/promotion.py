"""Widgets of nodes inside a subgraph that the node standing for it shows, with values of its own.

Newer files give such a widget an input of the subgraph; older ones list it in ``proxyWidgets``, and the editor makes an
input of it when it loads the file. Both ways end with a value for each such input.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from .definitions import Levels, hosts
from .failure import malformed
from .kinds import UNSET
from .layouts import Layouts
from .ui import INPUTS, Level, Link, Node, Port, Slot
from .virtual import PRIMITIVE

Holder = tuple[Node, str]
"""A node and the name of its widget; or a subgraph's node and the name of its input."""

_PREFIX = re.compile(r"\s*(\d+)\s*:\s*(.+)", re.DOTALL)
_NOBODY = "-1"
_MOST_PROMOTED = 2_000_000
_MOST_PROXIES = 1_000


class Promotion:
    """What the widgets of subgraphs hold; made once, before links are followed."""

    def __init__(self, levels: Levels, layouts: Layouts) -> None:
        self._layouts = layouts
        self._holders: dict[int, Holder | None] = {}
        left = _MOST_PROMOTED
        for level in (*levels.order, levels.root):
            found = [(host, levels.definitions[host.type]) for host in hosts(level, levels.definitions)]
            for host, definition in found:
                left -= len(definition.inputs)
                if left < 0:
                    raise malformed(f"{definition.name} and others have too many inputs on too many nodes", "use fewer of them")
                self._restore(host, definition)
            for host, definition in found:
                _Migration(self, layouts, host, definition).run()

    def holds(self, port: Port) -> bool:
        """Whether the input of a subgraph has a widget."""
        return self._holders.get(id(port)) is not None

    def value(self, host: Node, port: Port) -> Any:
        """What the widget of a subgraph's node holds, or UNSET: its own value, or that of the widget inside."""
        while True:
            if port.name in host.promoted:
                return host.promoted[port.name]
            holder = self._holders.get(id(port))
            if holder is None:
                return UNSET
            inner, name = holder
            definition = self._layouts.definition(inner)
            if definition is None:
                layout = self._layouts.of(inner)
                return layout.values.get(name, UNSET) if layout is not None else UNSET
            host, port = inner, next(x for x in definition.inputs if x.name == name)

    def find_holder(self, definition: Level, port: Port) -> Holder | None:
        """The widget behind an input of a subgraph: the first that one of its links leads to."""
        if id(port) not in self._holders:
            self._holders[id(port)] = next(self._behind(definition, port), None)
        return self._holders[id(port)]

    def _behind(self, definition: Level, port: Port) -> Iterator[Holder]:
        for inner, slot in targets(self._layouts, definition, port):
            nested = self._layouts.definition(inner)
            if nested is not None:
                for other in nested.inputs:
                    if other.name == slot.name and self.find_holder(nested, other) is not None:
                        yield inner, slot.name
                        break
            elif slot.widget is not None:
                layout = self._layouts.of(inner)
                if layout is not None and slot.widget in layout.values:
                    yield inner, slot.widget

    def _restore(self, host: Node, definition: Level) -> None:
        """Values of the widgets in the order of the inputs that have one."""
        saved = host.values if isinstance(host.values, list) else []
        kept = _kept(host.properties.get("proxyWidgetErrorQuarantine"))
        host.promoted = {}
        index = 0
        for port in definition.inputs:
            if self.find_holder(definition, port) is not None:
                value = kept.get(port.name, saved[index] if index < len(saved) else UNSET)
                if value is not UNSET:
                    host.promoted[port.name] = value
                index += 1


def targets(layouts: Layouts, definition: Level, port: Port) -> Iterator[tuple[Node, Slot]]:
    """The inputs that an input of a subgraph feeds."""
    for id_ in port.links:
        link = definition.links.get(id_)
        inner = definition.nodes.get(link.target) if link is not None else None
        slot = layouts.fed_by(inner).get(id_) if inner is not None else None
        if inner is not None and slot is not None:
            yield inner, slot


class _Migration:
    """Makes inputs of the widgets that an older file lists for one subgraph's node."""

    def __init__(self, promotion: Promotion, layouts: Layouts, host: Node, definition: Level) -> None:
        self._promotion = promotion
        self._layouts = layouts
        self._host = host
        self._definition = definition
        self._primitives: dict[str, list[tuple[str, Any]]] = {}

    def run(self) -> None:
        proxies = _proxies(self._host.properties.get("proxyWidgets"))
        if len(proxies) > _MOST_PROXIES or len(self._definition.inputs) + len(proxies) > 10 * _MOST_PROXIES:
            raise malformed(f"{self._definition.name} shows too many widgets of the nodes inside it", "show fewer of them")
        saved = self._host.values if isinstance(self._host.values, list) else []
        sources = self._sources() if proxies else {}
        for index, proxy in enumerate(proxies):
            value = saved[index] if index < len(saved) and saved[index] is not None else UNSET
            self._migrate(proxy, value, sources)
        for id_, entries in self._primitives.items():
            self._replace_primitive(self._definition.nodes[id_], entries)

    def _sources(self) -> dict[tuple[str, str], Port]:
        """The inputs of the subgraph by the widget they promote."""
        found: dict[tuple[str, str], Port] = {}
        for port in self._definition.inputs:
            for inner, slot in targets(self._layouts, self._definition, port):
                name = slot.name if self._layouts.definition(inner) is not None else slot.widget
                if name is not None:
                    found.setdefault((inner.id, name), port)
                    break
        return found

    def _migrate(self, proxy: list[str], value: Any, sources: dict[tuple[str, str], Port]) -> None:
        id_, name, of = proxy[0], *self._plain_name(proxy)
        port = sources.get((id_, name))
        source = self._definition.nodes.get(id_)
        if port is not None:
            self._hold(port, value)
        elif id_ == _NOBODY:
            self._hold_named(name, value)
        elif source is not None and source.type == PRIMITIVE:
            self._primitives.setdefault(id_, []).append((name, value))
        elif source is not None and not name.startswith("$$"):
            slot = self._slot(source, name, of)
            if slot is not None:
                port = self._add_port(name, slot.type, [(source, slot)])
                sources[source.id, slot.name] = port
                self._hold(port, value)

    def _plain_name(self, proxy: list[str]) -> tuple[str, str]:
        """The widget's name without the ids that some versions wrote before it, and the last of these ids."""
        source = self._definition.nodes.get(proxy[0])
        name, of = proxy[1], proxy[2] if len(proxy) > 2 else ""
        if source is None or self._slot(source, name, "") is not None:
            return name, of
        while match := _PREFIX.fullmatch(name):
            of, name = match[1], match[2]
        return name, of

    def _slot(self, source: Node, name: str, of: str) -> Slot | None:
        """The input of a node that its widget of that name belongs to."""
        nested = self._layouts.definition(source)
        if nested is None:
            return next((slot for slot in self._layouts.slots(source) if slot.widget == name), None)
        for port, slot in zip(nested.inputs, self._layouts.slots(source), strict=True):
            holder = self._promotion.find_holder(nested, port)
            behind = holder is not None and holder[1] == name and (not of or holder[0].id == of)
            if holder is not None and (behind or (not of and port.name == name)):
                return slot
        return None

    def _hold(self, port: Port, value: Any) -> None:
        if value is not UNSET and self._promotion.find_holder(self._definition, port) is not None:
            self._host.promoted[port.name] = value

    def _hold_named(self, name: str, value: Any) -> None:
        for port in self._definition.inputs:
            if port.name == name:
                self._hold(port, value)
                return

    def _add_port(self, name: str, type_: str, feeds: list[tuple[Node, Slot]]) -> Port:
        port = Port(_unique(name, {x.name for x in self._definition.inputs}), type_, [])
        index = len(self._definition.inputs)
        self._definition.inputs.append(port)
        for number, (inner, slot) in enumerate(feeds):
            link = f"{port.name}+{index}.{number}"
            self._definition.links[link] = Link(INPUTS, index, inner.id, -1, type_)
            port.links.append(link)
            self._layouts.feed(inner, slot, link)
        return port

    def _replace_primitive(self, primitive: Node, entries: list[tuple[str, Any]]) -> None:
        """The widgets that a primitive node fed are fed by an input instead, which holds the primitive's value."""
        links = {id_ for id_, link in self._definition.links.items() if link.origin == primitive.id}
        feeds = [
            (inner, slot)
            for inner in self._definition.nodes.values()
            for slot in self._layouts.slots(inner)
            if slot.link in links
        ]
        if not feeds or len({name for name, _ in entries}) > 1:
            return
        renamed = primitive.title if primitive.title not in ("", PRIMITIVE) else entries[0][0]
        port = self._add_port(renamed, feeds[0][1].type, feeds)
        self._hold(port, next((value for _, value in entries if value is not UNSET), UNSET))


def _unique(name: str, taken: set[str]) -> str:
    number, found = 0, name
    while found in taken:
        found = f"{name}_{(number := number + 1)}"
    return found


def _proxies(raw: Any) -> list[list[str]]:
    """The list of promoted widgets, ``[node id, widget name, id of a node inside that]``; none if any is malformed."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            return []
    if not isinstance(raw, list) or not all(isinstance(x, list) and 2 <= len(x) <= 3 for x in raw):
        return []
    return raw if all(isinstance(text, str) for proxy in raw for text in proxy) else []


def _kept(raw: Any) -> dict[str, Any]:
    """Values the editor could not place once and keeps by the name of the input."""
    found: dict[str, Any] = {}
    for entry in raw if isinstance(raw, list) else ():
        proxy, value = (entry.get("originalEntry"), entry.get("hostValue")) if isinstance(entry, dict) else (None, None)
        if value is not None and isinstance(proxy, list) and proxy[:1] == [_NOBODY] and isinstance(proxy[1:2], list):
            found.setdefault(str(proxy[1]) if len(proxy) > 1 else "", value)
    return found
