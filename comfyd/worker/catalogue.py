"""The node catalogue: what ComfyUI's ``/object_info`` tells, written to a file the daemon reads."""

import hashlib
import inspect
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nodes
from comfy_api.internal import _ComfyNodeInternal, first_real_override

from comfyd.protocol import CATALOGUE_FORMAT

from .plain import plain


def describe(class_types: Iterable[str]) -> dict[str, Any]:
    """Entries of these classes, as ``server.py: node_info`` gives them; one that raises is left out and logged."""
    found = {}
    for class_type in class_types:
        if class_type not in nodes.NODE_CLASS_MAPPINGS:
            continue
        try:
            info = _node_info(class_type) | {"validates": _validates(nodes.NODE_CLASS_MAPPINGS[class_type])}
            found[class_type] = plain(info)
        except Exception:
            logging.exception("comfyd: node class %s cannot be described", class_type)
    return found


def write(cache: Path, comfyui: Path, version: str) -> Path:
    """Writes the whole catalogue atomically; one file for each engine path."""
    name = hashlib.sha256(f"{comfyui}\n{version}".encode()).hexdigest()[:16]
    path = cache / f"catalogue-{name}.json"
    cache.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    content = {"format": CATALOGUE_FORMAT, "comfyui": version, "nodes": describe(list(nodes.NODE_CLASS_MAPPINGS))}
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(path)
    return path


def _validates(node: Any) -> list[str]:
    """Inputs the class checks itself, which ComfyUI then leaves alone (execution.py: ``validate_inputs``); ``*`` means all."""
    if issubclass(node, _ComfyNodeInternal):
        check = first_real_override(node, "validate_inputs")
    else:
        check = getattr(node, "VALIDATE_INPUTS", None)
    if check is None:
        return []
    spec = inspect.getfullargspec(check)
    return [*spec.args, *(["*"] if spec.varkw else [])]


def _node_info(class_type: str) -> dict[str, Any]:
    node: Any = nodes.NODE_CLASS_MAPPINGS[class_type]
    is_v3 = issubclass(node, _ComfyNodeInternal)
    if is_v3:
        return dict(node.GET_NODE_INFO_V1())
    outputs = node.RETURN_TYPES
    return {
        "input": node.INPUT_TYPES(),
        "output": outputs,
        "output_is_list": getattr(node, "OUTPUT_IS_LIST", [False] * len(outputs)),
        "output_name": getattr(node, "RETURN_NAMES", outputs),
        "name": class_type,
        "display_name": nodes.NODE_DISPLAY_NAME_MAPPINGS.get(class_type, class_type),
        "description": getattr(node, "DESCRIPTION", ""),
        "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
        "category": getattr(node, "CATEGORY", "sd"),
        "output_node": getattr(node, "OUTPUT_NODE", False) is True,
        "is_input_list": getattr(node, "INPUT_IS_LIST", False),
    }
