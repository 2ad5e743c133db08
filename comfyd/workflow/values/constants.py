"""What an input takes: constants converted as ComfyUI converts them, ranges and choices checked."""

import math
from collections.abc import Callable
from typing import Any

from comfyd.workflow.classes.nodeclass import COMBO, Input
from comfyd.workflow.wording import listed, shown

MODEL_FILES = (".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".gguf", ".pkl", ".onnx")
INPUT_FILES = (".png", ".jpg", ".jpeg", ".webp", ".mp4", ".mp3", ".wav")
_LEAST, _MOST = -(2**63), 2**64 - 1

_CONVERTERS: dict[str, type] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


class Rejected(Exception):
    """A value an input does not take; ``str()`` is the predicate of the sentence whose subject is the input."""

    stale = False


class NotAmongChoices(Rejected):
    """The value is not among the choices, as far as the catalogue knows; ``file`` where they are files."""

    stale = True

    def __init__(self, predicate: str, file: str = "") -> None:
        super().__init__(predicate)
        self.file = file


class NoSuchModel(NotAmongChoices):
    """The choices are model files and this one is not there."""


def convert(spec: Input, value: Any) -> Any:
    """The constant as ComfyUI would pass it on, checked for range and choices; raises Rejected."""
    converter = _CONVERTERS.get(spec.kind)
    if converter is not None and type(value) is not converter:
        value = converted(spec, value, converter)
    if type(value) is float and not math.isfinite(value):
        raise Rejected(f"takes {expected(spec)}, not {shown(value)}.")
    if type(value) is int and not _LEAST <= value <= _MOST:
        raise Rejected(f"takes {expected(spec)}, not {shown(value)}, which is beyond 64 bits.")
    if not spec.trusted:
        _check_range(spec, value)
    if spec.choices is not None:
        _check_choice(spec, value)
    return value


def expected(spec: Input) -> str:
    """What the input takes, in words."""
    words = {"INT": "an integer", "FLOAT": "a number", "BOOLEAN": "true or false", "STRING": "text", COMBO: "one of its choices"}
    low, high = spec.minimum, spec.maximum
    if spec.kind not in ("INT", "FLOAT") or (low is None and high is None):
        return words.get(spec.kind, "a value of its type")
    if low is not None and high is not None:
        return f"{words[spec.kind]} from {low} to {high}"
    return f"{words[spec.kind]} of {'at least' if high is None else 'at most'} {high if low is None else low}"


def converted(spec: Input, value: Any, converter: Callable[[Any], Any]) -> Any:
    """What the converter makes of a value; raises Rejected where it makes nothing."""
    try:
        return converter(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Rejected(f"takes {expected(spec)}, not {shown(value)}.") from error


def _check_range(spec: Input, value: Any) -> None:
    low, high = spec.minimum, spec.maximum
    if low is None and high is None:
        return
    try:
        outside = (low is not None and value < low) or (high is not None and value > high)
    except TypeError as error:
        raise Rejected(f"takes {expected(spec)}, not {shown(value)}.") from error
    if outside:
        raise Rejected(f"takes {expected(spec)}, not {shown(value)}.")


def _check_choice(spec: Input, value: Any) -> None:
    if spec.uploads:
        if leads_outside(value):
            raise Rejected(f"takes a file of the engine's input folder, and {shown(value)} leads out of it; give a name in it.")
        if is_missing_file(spec, value):
            fix = f"give the path of a file of yours, such as {shown('./' + value)}."
            raise NotAmongChoices(f"names the file {shown(value)}, which the engine's input folder does not hold; {fix}", value)
    elif spec.kind == COMBO and not spec.trusted:
        for one in value if spec.multiselect and isinstance(value, list) else (value,):
            if not _is_choice(spec, one):
                raise not_among(spec, one)


def _is_choice(spec: Input, value: Any) -> bool:
    try:
        return value in spec.known or (len(spec.known) != len(spec.choices or ()) and value in (spec.choices or ()))
    except TypeError:
        return value in (spec.choices or ())


def not_among(spec: Input, value: Any) -> Rejected:
    """The rejection of a value that is not among the choices, with the nearest one."""
    from comfyd.workflow.nearest import did_you_mean, nearest

    names = [str(choice) for choice in spec.choices or ()]
    if not isinstance(value, str):
        return NotAmongChoices(f"has no choice {shown(value)}{_some(names)}.")
    hint = did_you_mean(value, names)
    if is_model_choice(names, value):
        near = nearest(value, names) or (names[0] if names else None)
        other = f", for example {shown(near)}" if near else ""
        put = "put it into the engine's model folders or choose another"
        return NoSuchModel(f"needs the model file {shown(value)}, which is not there; {put}{other}.", value)
    return NotAmongChoices(f"has no choice {shown(value)}{hint or _some(names) + '.'}")


def is_model_choice(choices: list[str], value: str) -> bool:
    """Whether these choices, or this value among none, are model files."""
    return value.lower().endswith(MODEL_FILES) or any(choice.lower().endswith(MODEL_FILES) for choice in choices)


def _some(names: list[str]) -> str:
    return f"; it has {listed(names)}" if names else "; it has none"


def leads_outside(value: Any) -> bool:
    """Whether a file's name is a path that may leave the folder it belongs to."""
    if not isinstance(value, str):
        return False
    parts = value.replace("\\", "/").split("/")
    return ".." in parts or value.startswith(("/", "\\", "~")) or value[1:3] in (":/", ":\\") or "\0" in value


def is_missing_file(spec: Input, value: Any) -> bool:
    """Whether an input that takes files of the input folder names one that would be listed if it were there."""
    in_the_folder_itself = isinstance(value, str) and "/" not in value and "\\" not in value
    return in_the_folder_itself and value.lower().endswith(INPUT_FILES) and not _is_choice(spec, value)
