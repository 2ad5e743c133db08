"""A copy of JSON values that shares nothing with the original and holds nothing that is not JSON."""

import math
from typing import Any

from comfyd.errors import WorkflowInvalid
from comfyd.protocol import Graph
from comfyd.workflow.form import require_nodes
from comfyd.workflow.wording import shown

_PLAIN = frozenset({str, int, bool, type(None)})


def own_copy(graph: Any) -> Graph:
    """A copy of a graph; raises WorkflowInvalid when it is none."""
    require_nodes(graph)
    new: Graph = copied(graph)
    return new


def copied(value: Any) -> Any:
    """The copy, tuples turned into lists; raises WorkflowInvalid for NaN, infinity and what is not JSON."""
    try:
        return _copied(value)
    except RecursionError as error:
        raise WorkflowInvalid("The workflow holds a value nested too deeply; flatten it.") from error


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {_key(key): _copied(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_copied(item) for item in value]
    if kind is float and math.isfinite(value):
        return value
    raise WorkflowInvalid(f"The workflow holds {shown(value)}, which JSON does not have; replace it.")


def _key(key: Any) -> str:
    if type(key) is not str:
        raise WorkflowInvalid(f"The workflow holds a name that is not text ({shown(key)}); write it in quotes.")
    return key
