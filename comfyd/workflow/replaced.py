"""Nodes of classes whose names are gone, put into the form of the classes that stand in for them.

As ComfyUI does with every ``/prompt`` (app/node_replace_manager.py: ``apply_replacements``), where a class is unknown.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from comfyd.protocol import Graph

from .classes.catalogue import Catalogue
from .graph.wiring import is_link


def replacement(catalogue: Catalogue, class_type: str) -> dict[str, Any] | None:
    """What stands in for a class the engine does not have, if anything does."""
    found = catalogue.replacements.get(class_type)
    if class_type in catalogue.names() or not isinstance(found, list) or not found or not isinstance(found[0], dict):
        return None
    first: dict[str, Any] = found[0]
    return first if first.get("new_node_id") in catalogue.names() else None


def with_replacements(graph: Graph, catalogue: Catalogue) -> Graph:
    """The graph with every such node replaced, itself where there is none."""
    old = {id_: found for id_, node in graph.items() if (found := _stand_in(node, catalogue)) is not None}
    return {id_: _relinked(_replaced(node, old.get(id_)), old) for id_, node in graph.items()} if old else graph


def _stand_in(node: Any, catalogue: Catalogue) -> dict[str, Any] | None:
    """What stands in for the node's class; the graph has not been looked at before, and may hold anything."""
    class_type = node.get("class_type") if isinstance(node, dict) else None
    return replacement(catalogue, class_type) if isinstance(class_type, str) else None


def _replaced(node: dict[str, Any], found: Mapping[str, Any] | None) -> dict[str, Any]:
    if found is None:
        return node
    inputs = _inputs(node)
    mapping = found.get("input_mapping")
    if mapping is not None:
        inputs = dict(_mapped(mapping, inputs))
    return node | {"class_type": found["new_node_id"], "inputs": inputs}


def _mapped(mapping: Any, inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for entry in _dicts(mapping):
        new, old = entry.get("new_id"), entry.get("old_id")
        if isinstance(new, str) and "set_value" in entry:
            yield new, entry["set_value"]
        elif isinstance(new, str) and isinstance(old, str) and old in inputs:
            yield new, inputs[old]


def _relinked(node: dict[str, Any], old: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Links to nodes that were replaced lead to the same outputs, which may have other numbers now."""
    inputs = _inputs(node)
    links = {name: value for name, value in inputs.items() if is_link(value) and value[0] in old}
    moved = {name: [source, _slot(old[source], slot)] for name, (source, slot) in links.items()}
    return node | {"inputs": inputs | moved} if moved else node


def _slot(found: Mapping[str, Any], slot: int) -> Any:
    outputs = found.get("output_mapping")
    return next((entry.get("new_idx", slot) for entry in _dicts(outputs) if entry.get("old_idx") == slot), slot)


def _inputs(node: Any) -> dict[str, Any]:
    inputs = node.get("inputs") if isinstance(node, dict) else None
    return inputs if isinstance(inputs, dict) else {}


def _dicts(raw: Any) -> list[dict[str, Any]]:
    return [entry for entry in raw if isinstance(entry, dict)] if isinstance(raw, list) else []
