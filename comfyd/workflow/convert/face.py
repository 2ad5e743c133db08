"""What ComfyUI's editor makes of a node class: which inputs are sockets, which widgets it has, in the order it saves them."""

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from comfyd.workflow.classes import dynamic
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.classes.linktypes import MATCH

from . import kinds
from .kinds import Widget
from .ui import type_name


class Entry(msgspec.Struct):
    """One input of a class as the editor lays it out: a socket, or a widget (which is a socket as well)."""

    name: str
    type: str
    widgets: tuple[Widget, ...] = ()
    """The widgets it has, in their order; the first carries the input's value."""
    options: Mapping[str, tuple["Entry", ...]] = {}
    """The entries that come with each choice of a dynamic combo."""
    grows: bool = False
    """Stands for ``name.*``: as many inputs as the workflow has of them."""


class Face(msgspec.Struct):
    """A node class as the editor shows it."""

    title: str
    sockets: tuple[Entry, ...]
    widgets: tuple[Entry, ...]
    extra: tuple[Widget, ...]
    """Widgets without an input, which the editor's own code adds at the end."""
    outputs: tuple[str, ...]
    forced: tuple[bool, ...]
    """For each value that old versions saved, whether it is of an input that has no widget any more."""


_FACES: "WeakKeyDictionary[Catalogue, dict[str, Face | None]]" = WeakKeyDictionary()


def face(catalogue: Catalogue, class_type: str) -> Face | None:
    """The face of a class, made once for each catalogue; None for a class the engine does not have."""
    known = _FACES.setdefault(catalogue, {})
    if class_type not in known:
        known[class_type] = _face(class_type, catalogue)
    return known[class_type]


def _face(class_type: str, catalogue: Catalogue) -> Face | None:
    raw = catalogue.entry(class_type)
    if raw is None:
        return None
    specs = list(_specs(class_type, raw))
    entries = [_entry(class_type, name, spec, optional) for name, spec, optional in specs]
    title = raw.get("display_name")
    return Face(
        title=title if isinstance(title, str) and title else class_type,
        sockets=tuple(entry for entry in entries if not entry.widgets),
        widgets=tuple(entry for entry in entries if entry.widgets),
        extra=kinds.extra(class_type),
        outputs=tuple(type_name(x) for x in _list(raw.get("output"))),
        forced=tuple(_forced(specs, entries)),
    )


def _specs(class_type: str, raw: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """The inputs in the order of the class, required ones first, then those that the editor adds itself."""
    spec = raw.get("input")
    order = raw.get("input_order")
    for category in ("required", "optional"):
        group = spec.get(category) if isinstance(spec, dict) else None
        group = group if isinstance(group, dict) else {}
        wanted = order.get(category) if isinstance(order, dict) else None
        names = [name for name in wanted if isinstance(name, str) and name in group] if isinstance(wanted, list) else []
        for name in dict.fromkeys([*names, *group]):
            yield name, group[name], category == "optional"
        if category == "required":
            for name, kind in kinds.added(class_type, group):
                yield name, [kind, {}], False


def _entry(class_type: str, name: str, spec: Any, optional: bool) -> Entry:
    type_, options = _type(spec), _options(spec)
    if type_ == dynamic.AUTOGROW:
        return _growing(class_type, name, options)
    if type_ == MATCH:
        template = options.get("template")
        type_ = type_name(template.get("allowed_types") if isinstance(template, dict) else None)
    shown = options.get("widgetType")
    kind = shown if isinstance(shown, str) else type_
    if _is_forced(options, optional) or not kinds.is_widget(kind):
        return Entry(name, type_)
    choices = _choices(class_type, name, options) if kind == dynamic.COMBO else {}
    return Entry(name, type_, kinds.widgets(class_type, kind, name, spec, options, tuple(choices)), choices)


def _forced(specs: list[tuple[str, Any, bool]], entries: list[Entry]) -> Iterator[bool]:
    for (_, spec, optional), entry in zip(specs, entries, strict=True):
        options = _options(spec)
        forced = _is_forced(options, optional)
        if forced or entry.widgets:
            yield forced
            if options.get("control_after_generate"):
                yield False


def _is_forced(options: Mapping[str, Any], optional: bool) -> bool:
    """Whether the class wants a link there, not a widget."""
    return bool(options.get("forceInput") or (optional and options.get("defaultInput")))


def _growing(class_type: str, name: str, options: Mapping[str, Any]) -> Entry:
    template = options.get("template")
    groups = template.get("input") if isinstance(template, dict) else None
    for category in ("required", "optional"):
        group = groups.get(category) if isinstance(groups, dict) else None
        for spec in group.values() if isinstance(group, dict) else ():
            pattern = _entry(class_type, name, spec, False)
            return Entry(name, pattern.type, pattern.widgets, grows=True)
    return Entry(name, "*", grows=True)


def _choices(class_type: str, name: str, options: Mapping[str, Any]) -> dict[str, tuple[Entry, ...]]:
    found: dict[str, tuple[Entry, ...]] = {}
    raw = options.get("options")
    for option in raw if isinstance(raw, list) else ():
        if isinstance(option, dict) and isinstance(option.get("key"), str):
            found[option["key"]] = tuple(_under(class_type, name, option.get("inputs")))
    return found


def _under(class_type: str, name: str, spec: Any) -> Iterator[Entry]:
    for category in ("required", "optional"):
        group = spec.get(category) if isinstance(spec, dict) else None
        for child, entry in group.items() if isinstance(group, dict) else ():
            yield _entry(class_type, f"{name}.{child}", entry, category == "optional")


def _type(spec: Any) -> str:
    return type_name(spec[0]) if isinstance(spec, list | tuple) and spec else "*"


def _options(spec: Any) -> dict[str, Any]:
    return spec[1] if isinstance(spec, list | tuple) and len(spec) > 1 and isinstance(spec[1], dict) else {}


def _list(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else []
