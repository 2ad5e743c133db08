"""Whether the name given to ``-o`` fits what a workflow makes. Pure: files are copied as they are, never converted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from comfyd.protocol import Graph

_ALIASES = {".jpeg": ".jpg", ".tiff": ".tif"}
_IMAGES = [".apng", ".avif", ".bmp", ".exr", ".gif", ".heic", ".jpg", ".jxl", ".png", ".svg", ".tif", ".webp"]
_VIDEO_AND_AUDIO = [".aac", ".avi", ".flac", ".m4a", ".mkv", ".mov", ".mp3", ".mp4", ".ogg", ".opus", ".wav", ".webm"]
KNOWN = frozenset([*_IMAGES, *_VIDEO_AND_AUDIO])
"""Suffixes that promise a format; any other is a part of the name."""
PNG_NODES = frozenset(["SaveImage", "PreviewImage"])


def kind(name: str | Path) -> str:
    """The suffix of a name in its usual spelling: ``.jpg`` for ``A.JPEG``, empty for none."""
    suffix = Path(name).suffix.lower()
    return _ALIASES.get(suffix, suffix)


def makes_only_png(graph: Graph, is_output: Callable[[str], bool] | None = None) -> bool:
    """Whether all that the graph saves is PNG; without ``is_output`` the nodes that feed no other are its output nodes."""
    feeding = {source for node in graph.values() for source in _sources(node)}
    saving = {
        node["class_type"] for id_, node in graph.items() if (is_output(node["class_type"]) if is_output else id_ not in feeding)
    }
    return bool(saving) and saving <= PNG_NODES


def _sources(node: dict[str, Any]) -> set[str]:
    """Ids of the nodes that a node takes from."""
    inputs = node.get("inputs", {}).values()
    return {str(value[0]) for value in inputs if isinstance(value, list) and len(value) == 2}


def fitting(name: Path, file: Path) -> Path:
    """The name, with the file's suffix appended where it has another one."""
    return name if not name.suffix or kind(name) == kind(file) else name.with_name(name.name + file.suffix)
