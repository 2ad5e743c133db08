"""Sentences about what cannot be converted: the node, its class, the pack it belongs to, and why."""

from typing import TYPE_CHECKING

from comfyd.errors import ConversionFailed, NodeNotConvertible, UnknownNode
from comfyd.workflow.wording import plain, shown

if TYPE_CHECKING:
    from .ui import Node


def malformed(what: str, fix: str) -> ConversionFailed:
    """The error of a document no editor saves so."""
    return ConversionFailed(f"{what}; {fix}.")


def named(node: "Node", path: str = "") -> str:
    """A node for a sentence: ``node 5 'My title' (KSampler of pack comfyui-x)``."""
    title = f" {shown(node.title)}" if node.title and node.title != node.type else ""
    return f"node {plain(path or node.id)}{title} ({plain(node.type)}{_of_pack(node)})"


def unknown_class(node: "Node", path: str) -> UnknownNode:
    """The error of a node whose class the engine does not have."""
    pack = _pack(node)
    fix = f"install the pack {shown(pack)}" if pack else "install the node pack that has it"
    return UnknownNode(
        f"{_upper(named(node, path))} cannot be converted: the engine has no such node class; "
        f"{fix}, or mute the node in ComfyUI.",
        classes=(node.type,),
    )


def not_convertible(node: "Node", path: str, why: str, fix: str) -> NodeNotConvertible:
    """The error of a node that only ComfyUI's editor can carry out."""
    return NodeNotConvertible(f"{_upper(named(node, path))} cannot be converted: {why}; {fix}.")


def _of_pack(node: "Node") -> str:
    pack = _pack(node)
    return f" of pack {plain(pack)}" if pack else ""


def _pack(node: "Node") -> str:
    for name in ("cnr_id", "aux_id", "python_module"):
        pack = node.properties.get(name)
        if isinstance(pack, str) and pack and pack != "comfy-core":
            return pack
    return ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
