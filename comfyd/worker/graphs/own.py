"""Whose code a class or function is: that of ComfyUI, comfyd and torch, which is known, or a node pack's."""

import functools
import os
from pathlib import Path, PurePath
from typing import Any

_OWN = frozenset({"comfy", "comfy_extras", "comfy_kitchen", "comfyd", "torch"})
_CHANGES_MODULES = "comfy_extras.nodes_train"
"""ComfyUI's own nodes that replace what modules run."""


def is_own(module: str) -> bool:
    """Whether code of this Python module is known."""
    return module.partition(".")[0] in _OWN or bool(extra(module))


def extra(module: str) -> str:
    """The name of the file, where it is one of ComfyUI's own extra nodes, which the engine loads under their paths as names."""
    path = PurePath(module)
    return path.name if path.is_absolute() and path.parent == _extras() else ""


def module_of(value: Any) -> str:
    """Where a function, a class or an object's class comes from."""
    value = getattr(value, "func", value) if isinstance(value, functools.partial) else value
    return str(getattr(value, "__module__", None) or type(value).__module__)


def may_change_modules(node_class: Any) -> bool:
    """Whether a node may do to loaded models what nothing tells of."""
    parent = str(getattr(node_class, "RELATIVE_PYTHON_MODULE", "") or "")
    if not parent:
        return module_of(node_class) != "nodes"
    return not parent.startswith(("comfy_extras.", "comfy_api_nodes.")) or parent == _CHANGES_MODULES


@functools.cache
def _extras() -> PurePath:
    import nodes

    return Path(os.path.realpath(nodes.__file__)).parent / "comfy_extras"
