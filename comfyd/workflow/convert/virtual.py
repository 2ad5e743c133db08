"""Nodes that exist in the editor only: what passes a link on, what is mere decoration, and what needs the editor's code."""

from .ui import Node

REROUTES = frozenset({"Reroute", "Reroute (rgthree)", "ReroutePrimitive|pysssss"})
"""Passes its only input on."""
PRIMITIVE = "PrimitiveNode"
"""Holds the value of a widget elsewhere."""
SETTERS = frozenset({"SetNode", "easy setNode"})
"""Gives its input a name."""
GETTERS = frozenset({"GetNode", "easy getNode"})
"""Gives what a setter of that name was given."""

_NOTES = frozenset({"Note", "MarkdownNote", "Note Plus (mtb)", "workflow/notes"})
_RGTHREE = (
    "Bookmark",
    "Fast Actions Button",
    "Fast Bypasser",
    "Fast Groups Bypasser",
    "Fast Groups Muter",
    "Fast Muter",
    "Label",
    "Mute / Bypass Relay",
    "Mute / Bypass Repeater",
    "Node Collector",
    "Random Unmuter",
)
_DECORATION = _NOTES | {f"{name} (rgthree)" for name in _RGTHREE}

NEEDS_EDITOR = {
    "Anything Everywhere": "it links inputs by rules that only the editor's extension knows",
    "Anything Everywhere?": "it links inputs by rules that only the editor's extension knows",
    "Anything Everywhere3": "it links inputs by rules that only the editor's extension knows",
    "Prompts Everywhere": "it links inputs by rules that only the editor's extension knows",
    "Seed Everywhere": "it links inputs by rules that only the editor's extension knows",
    "Simple String": "it links inputs by rules that only the editor's extension knows",
    "WebcamCapture": "its picture is taken by the editor's camera",
    "RecordAudio": "its sound is recorded by the editor's microphone",
}
"""Classes of which nothing sensible can be exported without the editor, and why."""

_VIRTUAL = REROUTES | SETTERS | GETTERS | {PRIMITIVE} | _DECORATION


def is_virtual(class_type: str) -> bool:
    """Whether nodes of this class never become part of a graph."""
    return class_type in _VIRTUAL


def variable(node: Node) -> str:
    """The name that a setter sets or a getter gets."""
    value = node.values[0] if isinstance(node.values, list) and node.values else None
    if isinstance(node.values, dict):
        value = next(iter(node.values.values()), None)
    return value if isinstance(value, str) else ""
