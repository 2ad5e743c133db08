"""What ComfyUI's editor saved, read from untrusted JSON into levels of nodes and links, for every version of the form."""

from collections.abc import Iterator
from typing import Any

import msgspec

from comfyd.workflow.wording import shown

from .failure import malformed

INPUTS = "-10"
"""As a link's origin: the inputs of the subgraph it is in."""
OUTPUTS = "-20"
"""As a link's target: the outputs of the subgraph it is in."""

RUNS, MUTED, BYPASSED = 0, 2, 4


class Slot(msgspec.Struct):
    """An input or output slot of a node as saved."""

    name: str
    type: str
    link: str | None = None
    widget: str | None = None
    """The widget whose value this input can replace."""
    label: str = ""


class Link(msgspec.Struct):
    """A link from an output to an input."""

    origin: str
    slot: int
    target: str
    target_slot: int
    type: str = "*"


class Port(msgspec.Struct):
    """An input or output of a subgraph, with the links behind it."""

    name: str
    type: str
    links: list[str]


class Node(msgspec.Struct):
    """A node as saved."""

    id: str
    type: str
    mode: int
    title: str
    inputs: list[Slot]
    outputs: list[Slot]
    values: Any
    properties: dict[str, Any]
    promoted: dict[str, Any] = {}
    """Of a node that stands for a subgraph: what its own widgets hold, by the name of its input."""


class Level(msgspec.Struct):
    """A graph of nodes: the workflow itself or a subgraph's definition."""

    id: str
    name: str
    nodes: dict[str, Node]
    links: dict[str, Link]
    inputs: list[Port]
    outputs: list[Port]


def read_level(raw: dict[str, Any], name: str) -> Level:
    """The level of a workflow or definition; raises ConversionFailed for what no editor saves."""
    nodes: dict[str, Node] = {}
    for entry in _list(raw.get("nodes")):
        node = _node(entry, name)
        if node.id in nodes:
            raise malformed(f"{name} has two nodes with the id {shown(node.id)}", "give one of them another id")
        nodes[node.id] = node
    return Level(
        id=_text(raw.get("id")),
        name=name,
        nodes=nodes,
        links=dict(_links(raw.get("links"))),
        inputs=[_port(x) for x in _dicts(raw.get("inputs"))],
        outputs=[_port(x) for x in _dicts(raw.get("outputs"))],
    )


def key(raw: Any) -> str | None:
    """An id as text, as JavaScript would write it, or None for what is none."""
    if isinstance(raw, str):
        return raw or None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return str(int(raw)) if isinstance(raw, int) or raw.is_integer() else None


def _node(raw: Any, name: str) -> Node:
    id_ = key(raw.get("id")) if isinstance(raw, dict) else None
    if id_ is None or not isinstance(raw.get("type"), str):
        raise malformed(f"{name} has a node without an id or a type", "save it anew in ComfyUI")
    values = raw.get("widgets_values")
    return Node(
        id=id_,
        type=raw["type"],
        mode=_number(raw.get("mode")),
        title=_text(raw.get("title")),
        inputs=[_slot(x) for x in _dicts(raw.get("inputs"))],
        outputs=[_slot(x) for x in _dicts(raw.get("outputs"))],
        values=values if isinstance(values, list | dict) else None,
        properties=raw["properties"] if isinstance(raw.get("properties"), dict) else {},
    )


def _slot(raw: dict[str, Any]) -> Slot:
    widget = raw.get("widget")
    return Slot(
        name=_text(raw.get("name")),
        type=type_name(raw.get("type")),
        link=key(raw.get("link")),
        widget=_text(widget.get("name")) if isinstance(widget, dict) else None,
        label=_text(raw.get("label")),
    )


def _port(raw: dict[str, Any]) -> Port:
    links = [key(x) for x in _list(raw.get("linkIds"))]
    return Port(_text(raw.get("name")), type_name(raw.get("type")), [x for x in links if x is not None])


def _links(raw: Any) -> Iterator[tuple[str, Link]]:
    """Both forms: ``[id, origin, slot, target, slot, type]`` and objects; anything else is no link."""
    for entry in raw.values() if isinstance(raw, dict) else _list(raw):
        if isinstance(entry, list):
            fields = [*entry, None][:6] if len(entry) >= 5 else []
        elif isinstance(entry, dict):
            fields = [entry.get(x) for x in ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")]
        else:
            fields = []
        if fields:
            id_, origin, target = key(fields[0]), key(fields[1]), key(fields[3])
            if id_ is not None and origin is not None and target is not None:
                yield id_, Link(origin, _number(fields[2], -1), target, _number(fields[4], -1), type_name(fields[5]))


def type_name(raw: Any) -> str:
    """A slot's type as one name; a list of choices is a combo, numbers and nothing fit everything."""
    if isinstance(raw, str):
        return raw or "*"
    return "COMBO" if isinstance(raw, list) else "*"


def _dicts(raw: Any) -> list[dict[str, Any]]:
    return [x for x in _list(raw) if isinstance(x, dict)]


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _text(raw: Any) -> str:
    return raw if isinstance(raw, str) else ""


def _number(raw: Any, default: int = 0) -> int:
    """A small whole number; slots also come as text or as floats."""
    text = key(raw)
    return int(text) if text is not None and len(text) < 10 and text.lstrip("-").isdecimal() and text.isascii() else default
