"""The node catalogue: what ComfyUI's ``/object_info`` tells of its node classes, and which folders' files it lists."""

import inspect
import json
import logging
import os
from collections.abc import Iterable
from typing import Any

import folder_paths
import msgspec
import nodes
from comfy_api.internal import _ComfyNodeInternal, first_real_override

from comfyd import provenance

from .plain import plain

_FLAGS = ("DEPRECATED", "EXPERIMENTAL", "DEV_ONLY")
_ONLY_WHERE_GIVEN = ("OUTPUT_TOOLTIPS", "API_NODE", "ESSENTIALS_CATEGORY")


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


def entries(class_types: Iterable[str]) -> dict[str, msgspec.Raw]:
    """The same, encoded: Python's own encoder, because a node may give infinity as a limit."""
    return {name: msgspec.Raw(json.dumps(entry).encode()) for name, entry in describe(class_types).items()}


def folders(without: str) -> dict[str, int]:
    """The folders whose files are choices of node classes, with their modification times, ``without`` comfyd's own."""
    roots = [root for name, (paths, _) in folder_paths.folder_names_and_paths.items() if name != "custom_nodes" for root in paths]
    listed = [folder for _, times, _ in folder_paths.filename_list_cache.values() for folder in times]
    uploads = [folder_paths.get_input_directory(), *_subfolders(folder_paths.get_input_directory())]
    return provenance.times(path for path in dict.fromkeys([*roots, *listed, *uploads]) if path != without)


def replacements() -> dict[str, Any]:
    """What stands in for node classes of old names, as ComfyUI's ``/node_replacements`` tells it: by the old name."""
    from server import PromptServer

    found: dict[str, Any] = plain(PromptServer.instance.node_replace_manager.as_dict())
    return found


def _subfolders(folder: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []


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
    inputs, outputs = node.INPUT_TYPES(), node.RETURN_TYPES
    info: dict[str, Any] = {
        "input": inputs,
        "input_order": {group: list(names) for group, names in inputs.items()},
        "is_input_list": getattr(node, "INPUT_IS_LIST", False),
        "output": outputs,
        "output_is_list": getattr(node, "OUTPUT_IS_LIST", [False] * len(outputs)),
        "output_name": getattr(node, "RETURN_NAMES", outputs),
        "name": class_type,
        "display_name": nodes.NODE_DISPLAY_NAME_MAPPINGS.get(class_type, class_type),
        "description": getattr(node, "DESCRIPTION", ""),
        "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
        "category": getattr(node, "CATEGORY", "sd"),
        "output_node": getattr(node, "OUTPUT_NODE", False) is True,
        "has_intermediate_output": getattr(node, "HAS_INTERMEDIATE_OUTPUT", False) is True,
        "search_aliases": getattr(node, "SEARCH_ALIASES", []),
    }
    flags = {name.lower(): True for name in _FLAGS if getattr(node, name, False)}
    return info | flags | {name.lower(): getattr(node, name) for name in _ONLY_WHERE_GIVEN if hasattr(node, name)}
