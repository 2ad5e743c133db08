"""Colours for a dark and for a light terminal; without colours, what must stand out is underlined or bold."""

from collections.abc import Mapping

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import BaseStyle, Style

_COMMON = {
    "command": "bold",
    "bad": "underline",
    "unknown": "underline",
    "bottom-toolbar": "noreverse",
    "bottom-toolbar.problem": "bold",
    "completion-menu": "bg:default fg:default",
}
_DARK = {
    "prompt": "ansigreen bold",
    "command": "ansicyan bold",
    "option": "ansimagenta",
    "parameter": "ansiblue",
    "number": "ansiyellow",
    "choice": "ansigreen",
    "comment": "ansibrightblack",
    "unknown": "ansired underline",
    "bad": "ansired underline",
    "auto-suggestion": "#808080",
    "continuation": "#808080",
    "bottom-toolbar": "noreverse #b0b0b0 bg:#262626",
    "bottom-toolbar.problem": "ansibrightred bold",
    "bar.full": "ansigreen",
    "bar.high": "ansired",
    "bar.empty": "#606060",
    "completion-menu": "bg:#303030 #d0d0d0",
    "completion-menu.completion": "bg:#303030 #d0d0d0",
    "completion-menu.completion.current": "noreverse bg:#005f87 #ffffff",
    "completion-menu.meta.completion": "bg:#262626 #9e9e9e",
    "completion-menu.meta.completion.current": "bg:#005f87 #d0d0d0",
    "scrollbar.background": "bg:#303030",
    "scrollbar.button": "bg:#808080",
}
_LIGHT = {
    **_DARK,
    "prompt": "ansigreen bold",
    "command": "#005f87 bold",
    "option": "#87005f",
    "parameter": "#0000af",
    "number": "#875f00",
    "choice": "#005f00",
    "comment": "#707070",
    "unknown": "#af0000 underline",
    "bad": "#af0000 underline",
    "auto-suggestion": "#8a8a8a",
    "continuation": "#8a8a8a",
    "bottom-toolbar": "noreverse #444444 bg:#e4e4e4",
    "bottom-toolbar.problem": "#af0000 bold",
    "bar.full": "#008700",
    "bar.high": "#af0000",
    "bar.empty": "#b0b0b0",
    "completion-menu": "bg:#e4e4e4 #262626",
    "completion-menu.completion": "bg:#e4e4e4 #262626",
    "completion-menu.completion.current": "noreverse bg:#afd7ff #000000",
    "completion-menu.meta.completion": "bg:#eeeeee #585858",
    "completion-menu.meta.completion.current": "bg:#afd7ff #303030",
    "scrollbar.background": "bg:#e4e4e4",
    "scrollbar.button": "bg:#a0a0a0",
}
_LIGHT_BACKGROUNDS = ("7", "15")


def style(theme: str, *, colours: bool) -> BaseStyle:
    """The style for ``dark`` or ``light``."""
    if not colours:
        return Style.from_dict({**_COMMON, "prompt": "bold", "completion-menu.completion.current": "reverse"})
    return Style.from_dict(_LIGHT if theme == "light" else _DARK)


def theme(setting: str, environ: Mapping[str, str]) -> str:
    """``dark`` or ``light``: as set, else as the terminal tells by COLORFGBG, else dark."""
    if setting in ("dark", "light"):
        return setting
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in _LIGHT_BACKGROUNDS else "dark"


def depth(*, colours: bool) -> ColorDepth | None:
    """What the terminal can, or no colours at all."""
    return None if colours else ColorDepth.DEPTH_1_BIT
