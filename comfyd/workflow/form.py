"""Which of ComfyUI's JSON forms a value has, and the API graph in it."""

from typing import Any

from comfyd.errors import WorkflowFormat, WorkflowInvalid
from comfyd.protocol import Graph

from .wording import shown

_FIX = "export it in ComfyUI with 'Workflow > Export (API)' and give that file."


def api_graph(value: Any, name: str) -> Graph:
    """The API graph, unwrapped; raises WorkflowFormat for other forms, WorkflowInvalid for a malformed graph."""
    if is_ui_format(value):
        raise WorkflowFormat(f"{name} is in ComfyUI's UI format, which is not supported yet; {_FIX}")
    if not isinstance(value, dict):
        raise WorkflowFormat(f"{name} is JSON but not a workflow, which is an object of nodes; {_FIX}")
    graph: Graph = value["prompt"] if is_wrapped(value) else value
    require_nodes(graph, name)
    return graph


def is_ui_format(value: Any) -> bool:
    """Whether this is what ComfyUI's editor saves: lists of nodes and links with positions."""
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("nodes"), list):
        return True
    return "prompt" not in value and is_ui_format(value.get("workflow"))


def is_wrapped(value: dict[str, Any]) -> bool:
    """Whether this is the body of a ``/prompt`` request around the graph."""
    inner = value.get("prompt")
    return isinstance(inner, dict) and "class_type" not in inner


def require_nodes(graph: Any, name: str = "The workflow") -> None:
    """Raises WorkflowInvalid unless every entry is a node: id -> {"class_type": str, "inputs": {...}}."""
    if not isinstance(graph, dict) or not graph:
        raise WorkflowInvalid(f"{name} has no nodes; {_FIX}")
    for id_, node in graph.items():
        if not isinstance(id_, str):
            raise WorkflowInvalid(f"{name}: the node id {shown(id_)} is not text; write it in quotes.")
        if not isinstance(node, dict) or not isinstance(node.get("class_type"), str):
            raise WorkflowInvalid(f"{name}: node {shown(id_)} has no class_type; {_FIX}")
        if not isinstance(node.get("inputs", {}), dict):
            raise WorkflowInvalid(f"{name}: the inputs of node {shown(id_)} are not an object of names and values; {_FIX}")
