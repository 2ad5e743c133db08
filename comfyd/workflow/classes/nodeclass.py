"""A node class as the catalogue describes it, parsed once: its inputs, outputs and which checks it makes itself."""

from collections.abc import Mapping
from typing import Any

import msgspec

from . import dynamic

COMBO = "COMBO"
SCALARS = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN"})
_SOURCES = frozenset({"image_upload", "video_upload", "audio_upload", "file_upload", "animated_image_upload", "remote"})

_MOST_SHAPES = 64


class Input(msgspec.Struct, frozen=True):
    """One input: its type, limits and choices."""

    name: str
    type: Any
    """ComfyUI's type as it stands: a string (``"INT"``, ``"INT,FLOAT"``, ``"*"``), or an old-style combo's list of choices."""
    kind: str
    """``INT``, ``FLOAT``, ``STRING``, ``BOOLEAN``, ``COMBO``, or the type as it stands."""
    required: bool = True
    choices: tuple[Any, ...] | None = None
    known: frozenset[Any] = frozenset()
    """The hashable choices, for a fast look."""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    default: Any = None
    multiselect: bool = False
    trusted: bool = False
    """The node checks this value itself, so that ComfyUI applies neither range nor choices."""
    uploads: bool = False
    """The choices are files of the input folder."""
    multiline: bool = False
    lazy: bool = False
    """What is linked to it runs only if the node asks for it."""
    draws: bool = False
    """The editor draws one of the choices in its text (``dynamicPrompts``)."""
    is_value: bool = False
    """Has a widget: can hold a constant that somebody types."""


class NodeClass(msgspec.Struct, frozen=True):
    """One node class."""

    name: str
    display_name: str
    module: str
    inputs: Mapping[str, Input]
    """Required and optional inputs, without those that depend on other values."""
    outputs: tuple[Any, ...]
    output_names: tuple[str, ...]
    output_node: bool
    trusts: frozenset[str]
    """Inputs the class validates itself; ``*`` means all, ``input_types`` means the types of its links."""
    variable: dict[str, Any] | None = None
    """The raw input specification, when some inputs exist only depending on others."""
    shapes: dict[dynamic.Shape, Mapping[str, Input]] = {}
    """Expansions of ``variable`` made so far."""

    def inputs_for(self, values: Mapping[str, Any]) -> Mapping[str, Input]:
        """The inputs of a node that holds these values (dynamic inputs depend on them)."""
        if self.variable is None:
            return self.inputs
        shape = dynamic.shape(self.variable, values)
        found = self.shapes.get(shape)
        if found is None:
            if len(self.shapes) >= _MOST_SHAPES:
                self.shapes.clear()
            found = self.shapes[shape] = parse_inputs(dynamic.expand(self.variable, values), self.trusts)
        return found


def parse_class(name: str, raw: Any) -> NodeClass:
    """A class from its ``/object_info`` entry; anything malformed in it counts as absent."""
    info = raw if isinstance(raw, dict) else {}
    spec = info.get("input")
    spec = spec if isinstance(spec, dict) else {}
    trusts = frozenset(x for x in _list(info.get("validates")) if isinstance(x, str))
    return NodeClass(
        name=name,
        display_name=_text(info.get("display_name")) or name,
        module=_text(info.get("python_module")),
        inputs=parse_inputs(spec, trusts),
        outputs=tuple(_list(info.get("output"))),
        output_names=tuple(_text(x) for x in _list(info.get("output_name"))),
        output_node=info.get("output_node") is True,
        trusts=trusts,
        variable=spec if dynamic.is_dynamic(spec) else None,
    )


def parse_inputs(spec: Mapping[str, Any], trusts: frozenset[str]) -> dict[str, Input]:
    """The inputs of a specification, required ones first."""
    found: dict[str, Input] = {}
    for category in ("optional", "required"):
        group = spec.get(category)
        for name, entry in group.items() if isinstance(group, dict) else ():
            found[name] = _input(name, entry, category == "required", trusts)
    return dict(sorted(found.items(), key=lambda item: not item[1].required))


def _input(name: str, entry: Any, required: bool, trusts: frozenset[str]) -> Input:
    entry = entry if isinstance(entry, list | tuple) and entry else ["*"]
    options = entry[1] if len(entry) > 1 and isinstance(entry[1], dict) else {}
    type_ = entry[0] if isinstance(entry[0], str | list) else "*"
    choices = _choices(type_, options)
    kind = COMBO if isinstance(type_, list) else type_
    return Input(
        name=name,
        type=type_,
        kind=kind,
        required=required,
        choices=choices,
        known=_hashable(choices or ()),
        minimum=_limit(options.get("min")),
        maximum=_limit(options.get("max")),
        step=_limit(options.get("step")),
        default=options.get("default"),
        multiselect=bool(options.get("multiselect")),
        trusted=name in trusts or "*" in trusts,
        uploads=not _SOURCES.isdisjoint(options),
        multiline=bool(options.get("multiline")),
        lazy=bool(options.get("lazy")),
        draws=bool(options.get("dynamicPrompts")),
        is_value=_is_value(kind, options),
    )


def _choices(type_: Any, options: dict[str, Any]) -> tuple[Any, ...] | None:
    if isinstance(type_, list):
        return tuple(type_)
    if type_ == COMBO:
        return None if "remote" in options and "options" not in options else tuple(_list(options.get("options")))
    if type_ == dynamic.COMBO:
        return tuple(x.get("key") for x in _list(options.get("options")) if isinstance(x, dict))
    return None


def _is_value(kind: str, options: dict[str, Any]) -> bool:
    if options.get("forceInput") or options.get("rawLink"):
        return False
    return kind in (COMBO, dynamic.COMBO) or "default" in options or SCALARS.issuperset(x.strip() for x in kind.split(","))


def _hashable(values: tuple[Any, ...]) -> frozenset[Any]:
    try:
        return frozenset(values)
    except TypeError:
        return frozenset(x for x in values if isinstance(x, str | int | float))


def _limit(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
