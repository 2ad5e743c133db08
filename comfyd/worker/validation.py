"""ComfyUI's own validation of a graph, with what it refuses as comfyd's errors; for jobs and for plans."""

from collections.abc import Callable
from typing import Any, NoReturn

import execution

from comfyd import errors
from comfyd.protocol import Described, Graph

from . import catalogue, failures
from .files import names_model_file
from .plain import text

Emit = Callable[[Described], object]


async def outputs_of(job: int, graph: Graph, emit: Emit) -> list[str]:
    """The output nodes that run; asks the nodes' VALIDATE_INPUTS too, converts constants in place; raises WorkflowInvalid."""
    valid, error, outputs, node_errors = await execution.validate_prompt(str(job), graph, None)
    if valid and not node_errors:
        return list(outputs)
    for node_id, found in node_errors.items():
        _refuse(graph[node_id], node_id, found["errors"][0], emit)
    raise errors.WorkflowInvalid(
        text(f"{error['message']}; {error['details'] or 'add a node that saves or previews something'}.")
    )


def _refuse(node: dict[str, Any], node_id: str, error: dict[str, Any], emit: Emit) -> NoReturn:
    """Raises what ComfyUI's validation says of a node; where a file has gone the daemon is told, too."""
    where = text(f"node {node_id} ({failures.title(node)})")
    value = error.get("extra_info", {}).get("received_value")
    if error["type"] == "value_not_in_list" and isinstance(value, str) and names_model_file(value):
        emit(Described(request=0, classes=catalogue.describe([node["class_type"]])))
        raise errors.MissingModel(text(f"{where} needs the model file {value}, which has gone; put it back or choose another."))
    if "recursion" in str(error["details"]):
        raise errors.WorkflowInvalid(f"{where} ends a chain of nodes that is too long for ComfyUI; split it into two workflows.")
    raise errors.WorkflowInvalid(text(f"{where}: {error['message']}: {error['details']}."))
