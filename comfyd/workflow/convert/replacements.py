"""Names of files that ComfyUI's editor puts together when a workflow is queued: ``%date:yyyy-MM-dd%``, ``%KSampler.seed%``."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from .kinds import UNSET
from .layouts import Layouts
from .ui import Level, Node

_SAVES = frozenset(
    {
        "SaveImage",
        "SaveImageAdvanced",
        "SaveSVGNode",
        "SaveVideo",
        "SaveAnimatedWEBP",
        "SaveWEBM",
        "SaveAudio",
        "SaveAudioMP3",
        "SaveAudioOpus",
        "SaveAudioAdvanced",
        "SaveGLB",
        "Save3DAdvanced",
        "SaveGaussianSplat",
        "SavePointCloud",
        "SaveAnimatedPNG",
        "CLIPSave",
        "VAESave",
        "ModelSave",
        "LoraSave",
        "SaveLatent",
    }
)
_PREFIX = "filename_prefix"
_NAME = "Node name for S&R"
_PATTERN = re.compile(r"%([^%]+)%")
_UNFIT = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_DATE_PART = re.compile(r"dd?|MM?|hh?|mm?|ss?|yyyy|yyy|yy")
_PARTS: dict[str, Callable[[datetime], int]] = {
    "d": lambda now: now.day,
    "M": lambda now: now.month,
    "h": lambda now: now.hour,
    "m": lambda now: now.minute,
    "s": lambda now: now.second,
}


def replace(levels: list[Level], layouts: Layouts, now: datetime) -> None:
    """Fills in the names of files of all nodes that save one."""
    nodes = [node for level in levels for node in level.nodes.values()]
    saves = [(node, layout) for node in nodes if node.type in _SAVES and (layout := layouts.of(node)) is not None]
    texts = [(layout, layout.values.get(_PREFIX)) for _, layout in saves]
    wanted = [(layout, text) for layout, text in texts if isinstance(text, str) and _PATTERN.search(text)]
    named = _by_name(nodes, layouts) if wanted else {}
    for layout, text in wanted:
        layout.values[_PREFIX] = _PATTERN.sub(lambda match: _filled(match, named, layouts, now), text)


def _by_name(nodes: Iterable[Node], layouts: Layouts) -> dict[str, Node]:
    """The first node of each alias, else of each title."""
    found: dict[str, Node] = {}
    by_title: dict[str, Node] = {}
    for node in nodes:
        layout = layouts.of(node)
        if layout is not None:
            alias = node.properties.get(_NAME)
            found.setdefault(alias if isinstance(alias, str) else node.type, node)
            by_title.setdefault(layout.title, node)
    return by_title | found


def _filled(match: re.Match[str], named: dict[str, Node], layouts: Layouts, now: datetime) -> str:
    name, dot, widget = match[1].partition(".")
    if not dot or "." in widget:
        return _date(name[5:], now) if name.startswith("date:") else match[0]
    layout = layouts.of(named[name]) if name in named else None
    if layout is None or widget not in layout.values:
        return match[0]
    return _UNFIT.sub("_", _text(layout.values[widget]))


def _date(form: str, now: datetime) -> str:
    return _DATE_PART.sub(lambda part: _date_part(part[0], now), form)


def _date_part(part: str, now: datetime) -> str:
    if part[0] in _PARTS:
        return str(_PARTS[part[0]](now)).zfill(len(part))
    return {"yy": str(now.year)[2:], "yyyy": str(now.year)}.get(part, part)


def _text(value: Any) -> str:
    """A value as JavaScript writes it."""
    if value is None or value is UNSET:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
