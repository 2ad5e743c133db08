"""Primitive nodes: each holds the value of a widget of other nodes, and gives it to them when the workflow is queued."""

from typing import Any

from .kinds import UNSET
from .ui import Node


def primitive_value(node: Node) -> Any:
    """What a primitive node holds, or UNSET."""
    return node.values[0] if isinstance(node.values, list) and node.values else UNSET
