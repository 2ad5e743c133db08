"""Which of ComfyUI's JSON forms a value has: an API graph, what the editor saves, or a bundle of the two."""

from typing import Any

from comfyd.errors import WorkflowFormat, WorkflowInvalid
from comfyd.protocol import Graph

from .document import Document
from .wording import shown

_DEEPEST = 200
_FIX = "export it anew in ComfyUI and give that file."


def document(value: Any, name: str, called: str) -> Document:
    """The forms in a JSON value; ``called`` is how sentences speak of it.

    Raises WorkflowFormat for what is no workflow, WorkflowInvalid for a malformed graph.
    """
    if not isinstance(value, dict):
        raise WorkflowFormat(f"{called} is JSON but not a workflow, which is an object of nodes; {_FIX}")
    if is_ui(value):
        return Document(name=name, ui=value)
    if not is_wrapped(value):
        if is_ui(value.get("workflow")):
            return Document(name=name, ui=value["workflow"])
        return Document(name=name, api=require_nodes(value, called))
    return Document(name=name, api=require_nodes(value["prompt"], called), ui=_beside(value))


def is_ui(value: Any) -> bool:
    """Whether this is what ComfyUI's editor saves: a list of nodes with positions, and links between them."""
    return isinstance(value, dict) and isinstance(value.get("nodes"), list)


def is_wrapped(value: dict[str, Any]) -> bool:
    """Whether this is the body of a ``/prompt`` request, or such a bundle, around the graph."""
    inner = value.get("prompt")
    return isinstance(inner, dict) and "class_type" not in inner


def _beside(body: dict[str, Any]) -> dict[str, Any] | None:
    """The UI form that travels with the graph: beside it, or where a ``/prompt`` request has it."""
    value: Any = body
    for key in ("extra_data", "extra_pnginfo"):
        value = value.get(key) if isinstance(value, dict) else None
    found = [place["workflow"] for place in (body, value) if isinstance(place, dict) and is_ui(place.get("workflow"))]
    return found[0] if found else None


def require_nodes(graph: Any, called: str = "The workflow") -> Graph:
    """The graph; raises WorkflowInvalid unless every entry is a node: id -> {"class_type": str, "inputs": {...}}."""
    if not isinstance(graph, dict) or not graph:
        raise WorkflowInvalid(f"{called} has no nodes; {_FIX}")
    for id_, node in graph.items():
        if not isinstance(id_, str):
            raise WorkflowInvalid(f"{called}: the node id {shown(id_)} is not text; write it in quotes.")
        if not isinstance(node, dict) or not isinstance(node.get("class_type"), str):
            raise WorkflowInvalid(f"{called}: node {shown(id_)} has no class_type; {_FIX}")
        if not isinstance(node.get("inputs", {}), dict):
            raise WorkflowInvalid(f"{called}: the inputs of node {shown(id_)} are not an object of names and values; {_FIX}")
    return graph


def require_shallow(value: Any, called: str = "The workflow") -> None:
    """Raises WorkflowInvalid for what is nested so deeply that a node, or whoever decodes it, could run out of stack."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent if type(parent) is list else ())
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise WorkflowInvalid(f"{called} is nested more than {_DEEPEST} levels deep and cannot be a workflow; {_FIX}")
