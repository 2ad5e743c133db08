"""Writes workflows as ComfyUI's editor saves them."""

from collections.abc import Iterable
from typing import Any

ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"


class Canvas:
    """One level: add nodes, link them, take it as a workflow or as a subgraph's definition."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []

    def node(self, id_: int, type_: str, inputs: Iterable[str] = (), values: Any = None, **fields: Any) -> dict[str, Any]:
        """A node; an input ``name`` is a socket, ``name=`` the slot of a widget, ``name:TYPE`` has a type."""
        slots = [_slot(text) for text in inputs]
        node = {"id": id_, "type": type_, "mode": 0, "inputs": slots, "outputs": [], "properties": {}, **fields}
        if values is not None:
            node["widgets_values"] = values
        self.nodes.append(node)
        return node

    def link(self, origin: int, slot: int, target: int, name: str | int, type_: str = "*") -> None:
        """A link into the input of that name; into or out of the subgraph's own border with -20 and -10."""
        id_ = len(self.links) + 1
        index = name if isinstance(name, int) else -1
        for node in self.nodes:
            if node["id"] == target:
                names = [x["name"] for x in node["inputs"]]
                index = names.index(name) if isinstance(name, str) else index
                node["inputs"][index]["link"] = id_
        self.links.append([id_, origin, slot, target, index, type_])

    def workflow(self, *definitions: dict[str, Any], **fields: Any) -> dict[str, Any]:
        found = {"version": 0.4, "last_node_id": 1_000, "nodes": self.nodes, "links": self.links, "extra": {}}
        return found | ({"definitions": {"subgraphs": list(definitions)}} if definitions else {}) | fields

    def subgraph(self, id_: str, inputs: Iterable[str], outputs: Iterable[str]) -> dict[str, Any]:
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        return {
            "id": id_,
            "name": f"Subgraph {id_[0]}",
            "inputs": [_port(text, [x[0] for x in self.links if x[1] == -10 and x[2] == i]) for i, text in enumerate(inputs)],
            "outputs": [_port(text, [x[0] for x in self.links if x[3] == -20 and x[4] == i]) for i, text in enumerate(outputs)],
            "nodes": self.nodes,
            "links": [dict(zip(names, link, strict=True)) for link in self.links],
        }


def _slot(text: str) -> dict[str, Any]:
    name, _, type_ = text.partition(":")
    slot: dict[str, Any] = {"name": name.rstrip("="), "type": type_ or "*", "link": None}
    return slot | ({"widget": {"name": slot["name"]}} if name.endswith("=") else {})


def _port(text: str, links: list[int]) -> dict[str, Any]:
    name, _, type_ = text.partition(":")
    return {"id": name, "name": name, "type": type_ or "*", "linkIds": links}


def to_save(canvas: Canvas, id_: int, origin: int, slot: int = 0) -> None:
    """A node that saves what an output gives, under input ``any``."""
    canvas.node(id_, "ProbeSave", ["any"])
    canvas.link(origin, slot, id_, "any")
