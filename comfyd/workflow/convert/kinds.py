"""The widgets of ComfyUI's editor: what each kind of input has, what it starts with, what of it is saved and exported."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from comfyd.workflow.classes import dynamic

UNSET = object()
"""A widget that holds nothing: JSON leaves it out."""


class Widget(msgspec.Struct):
    """One widget of a node."""

    name: str
    default: Any = UNSET
    saved: bool = True
    """Has a place in ``widgets_values``."""
    exported: bool = True
    """Becomes an input of the API graph."""
    kind: str = ""


_CONTROL = "control_after_generate"
_BOX = {"x": 0, "y": 0, "width": 512, "height": 512}
_CURVE = {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"}
_DEFAULTS: dict[str, Any] = {
    "INT": 0,
    "FLOAT": 0,
    "BOOLEAN": False,
    "STRING": "",
    "MARKDOWN": "",
    "COLOR": "#000000",
    "BOUNDING_BOX": _BOX,
    "BOUNDING_BOXES": [],
    "COLORS": [],
    "CURVE": _CURVE,
    "RANGE": {"min": 0.0, "max": 1.0},
    "PAINTER": "",
    "TEXTAREA": "",
    "CHART": {},
    "GALLERIA": [],
    "WEBCAM": UNSET,
}
_BUTTONS = frozenset({"IMAGEUPLOAD", "AUDIOUPLOAD"})
_SHOWS_3D = frozenset({"LOAD_3D", "PREVIEW_3D", "LOAD_3D_ADVANCED"})
_OTHERS = frozenset({"COMBO", dynamic.COMBO, "IMAGECOMPARE", "AUDIO_UI", "AUDIO_RECORD"})
_KINDS = frozenset(_DEFAULTS) | _BUTTONS | _SHOWS_3D | _OTHERS

_PLAYS_AUDIO = frozenset({"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"})
_MODEL_BUTTONS = (("upload 3d model", "upload3dmodel"), ("upload extra resources", "uploadExtraResources"), ("clear", "clear"))
_VIEWS = {
    "Preview3D": ("image", "PREVIEW_3D"),
    "SaveGLB": ("image", "PREVIEW_3D"),
    "Load3DAdvanced": ("viewport_state", "LOAD_3D_ADVANCED"),
}
_UPLOADS = ("image_upload", "video_upload", "animated_image_upload")


def is_widget(kind: str) -> bool:
    """Whether the editor has a widget for inputs of this kind."""
    return kind in _KINDS


def widgets(
    class_type: str, kind: str, name: str, spec: Any, options: Mapping[str, Any], choices: tuple[str, ...]
) -> tuple[Widget, ...]:
    """The widgets of an input; the first holds its value."""
    if kind in ("COMBO", dynamic.COMBO):
        return tuple(_combo(kind, name, options, choices or _listed(spec, options)))
    if kind in _BUTTONS:
        return (Widget(name, saved=True, exported=False),)
    if kind == "AUDIO_UI":
        return (Widget(name, saved=False, exported=False),)
    if kind == "AUDIO_RECORD":
        return (Widget(name, ""), Widget(name, saved=True, exported=False))
    if kind == "IMAGECOMPARE":
        return (Widget(name, ["", ""], saved=False),)
    if kind in _SHOWS_3D:
        return _scene(class_type, kind)
    return (Widget(name, options.get("default", _DEFAULTS[kind]), kind=kind), *_beside(kind, name, options))


def added(class_type: str, required: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Inputs that the editor adds to a class: players, views and upload buttons."""
    if class_type in _VIEWS:
        yield _VIEWS[class_type]
    if class_type in _PLAYS_AUDIO:
        yield "audioUI", "AUDIO_UI"
    if any(_uploads(spec) for spec in required.values()):
        yield "upload", "IMAGEUPLOAD"
    if _flag(required.get("audio"), "audio_upload"):
        yield "upload", "AUDIOUPLOAD"


def extra(class_type: str) -> tuple[Widget, ...]:
    """Widgets without an input that the editor adds to a class."""
    return (Widget("waiting for camera...", exported=False),) if class_type == "WebcamCapture" else ()


def _combo(kind: str, name: str, options: Mapping[str, Any], choices: tuple[Any, ...]) -> Iterator[Widget]:
    if options.get("multiselect") or options.get("multi_select"):
        yield Widget(name, options.get("default", []), kind=kind)
    else:
        yield Widget(name, options.get("default") or (choices[0] if choices else UNSET), kind=kind)
    if options.get("remote"):
        yield Widget("Auto-refresh after generation", False, exported=False)
        if isinstance(options["remote"], dict) and options["remote"].get("refresh_button"):
            yield Widget("refresh", "refresh")
    if options.get(_CONTROL):
        yield Widget(_CONTROL, "randomize", exported=False)
        yield Widget("control_filter_list", "", exported=False)


def _beside(kind: str, name: str, options: Mapping[str, Any]) -> Iterator[Widget]:
    control = options.get(_CONTROL)
    if kind == "INT" and control is None:
        control = name in ("seed", "noise_seed")
    if control and kind in ("INT", "FLOAT"):
        yield Widget(_CONTROL, "randomize", exported=False)
    if kind == "BOUNDING_BOX":
        for field, value in _BOX.items():
            yield Widget(field, value, exported=False)


def _scene(class_type: str, kind: str) -> tuple[Widget, ...]:
    """A 3D view, below the buttons that upload a model; ComfyUI exports these buttons too."""
    buttons = _MODEL_BUTTONS if kind == "LOAD_3D" and class_type == "Load3D" else ()
    view = "image" if kind == "PREVIEW_3D" or class_type == "Load3D" else "viewport_state"
    return (*(Widget(name, value) for name, value in buttons), Widget(view, ""))


def _listed(spec: Any, options: Mapping[str, Any]) -> tuple[Any, ...]:
    choices = spec[0] if isinstance(spec[0], list) else options.get("options")
    return tuple(choices) if isinstance(choices, list) else ()


def _uploads(spec: Any) -> bool:
    return any(_flag(spec, name) for name in _UPLOADS) and (isinstance(spec[0], list) or spec[0] == "COMBO")


def _flag(spec: Any, name: str) -> bool:
    return isinstance(spec, list | tuple) and len(spec) > 1 and isinstance(spec[1], dict) and spec[1].get(name) is True
