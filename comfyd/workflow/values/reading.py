"""Text that somebody typed, read by the type of the input it is for."""

import json
import os
from collections.abc import Callable
from typing import Any

import msgspec

from comfyd.workflow.classes import dynamic
from comfyd.workflow.classes.nodeclass import COMBO, Input
from comfyd.workflow.wording import listed, shown

from .constants import MODEL_FILES, Rejected, convert, converted, expected, not_among

_MOST = 2**64 - 1
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def read(spec: Input, value: Any) -> Any:
    """The typed value of an override: text is read by the input's type, anything else taken as it is; raises Rejected."""
    if isinstance(value, str):
        reader = _READERS.get(spec.kind, _read_other)
        value = reader(spec, value)
    elif spec.kind in _READERS and not _fits(spec.kind, value):
        raise Rejected(f"takes {expected(spec)}, not {shown(value)}.")
    if spec.kind == dynamic.COMBO and value not in (spec.choices or ()):
        raise not_among(spec, value)
    value = convert(spec, value)
    if not _is_portable(value):
        raise Rejected("takes only text and numbers that JSON can carry, integers of at most 64 bits.")
    return value


def fits(spec: Input, text: str, *, seed: bool = False) -> bool:
    """Whether text is such as this input takes, its range apart: who types ``steps 0`` means the steps."""
    if spec.choices is not None and spec.kind in (COMBO, dynamic.COMBO):
        return bool(_named(spec.choices, text)) or (spec.uploads and _is_file_name(text))
    if seed and is_relative(text):
        return True
    try:
        value = _READERS.get(spec.kind, _read_other)(spec, text)
    except Rejected:
        return False
    return spec.kind in _READERS or not isinstance(value, str)


def _is_file_name(text: str) -> bool:
    """Whether a word looks like a file's name or a path, and like none in a sentence."""
    stem, dot, ending = text.rpartition(".")
    return text.startswith(("./", "../", "/", "~/")) or bool(stem and dot and 2 <= len(ending) <= 6 and ending.isalnum())


def is_relative(text: str) -> bool:
    """Whether a seed is given as ``random``, ``+1`` or ``-1``."""
    return text == "random" or (text[:1] in ("+", "-") and text[1:].isascii() and text[1:].isdecimal() and len(text) < 21)


def relative(text: str, base: Any, spec: Input) -> int:
    """The seed that ``random``, ``+1`` or ``-1`` stands for, ``base`` being the last one; raises Rejected."""
    if text == "random":
        low, high = (0 if limit is None else int(limit) for limit in (spec.minimum, spec.maximum))
        return _below(max(low, 0), (high if spec.maximum is not None else _MOST) + 1)
    if isinstance(base, bool) or not isinstance(base, int):
        raise Rejected(f"has no seed that {shown(text)} could count from; give a number.")
    return base + int(text)


def _below(low: int, high: int) -> int:
    """A random integer from ``low`` to below ``high``, as good as even."""
    return low + int.from_bytes(os.urandom(16)) % max(min(high, _MOST + 1) - low, 1)


def _is_portable(value: Any) -> bool:
    try:
        msgspec.msgpack.encode(value)
    except (OverflowError, UnicodeError, TypeError, ValueError, RecursionError):
        return False
    return True


def _fits(kind: str, value: Any) -> bool:
    if kind == "INT":
        return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    if kind == "FLOAT":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "BOOLEAN":
        return isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))
    return not isinstance(value, dict | list | tuple) if kind == "STRING" else True


def _read_int(spec: Input, text: str) -> int:
    number = converted(spec, text, _integer)
    assert isinstance(number, int)
    return number


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise
        return int(number)


def _read_float(spec: Input, text: str) -> Any:
    return converted(spec, text, float)


def _read_bool(spec: Input, text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise Rejected(f"takes true or false, not {shown(text)}.")
    return word in _TRUE


def _read_text(spec: Input, text: str) -> str:
    return text


def _read_choice(spec: Input, text: str) -> Any:
    """The one choice that the text names (see ``_named``)."""
    found = _named(spec.choices or (), text)
    if len(found) == 1:
        return found[0]
    if len(found) > 1 and not spec.trusted:
        raise Rejected(f"has several choices that fit {shown(text)} ({listed([str(c) for c in found])}); give more of the name.")
    if spec.multiselect:
        return _read_other(spec, text)
    return text


def _named(choices: tuple[Any, ...], text: str) -> list[Any]:
    """The choice spelled so, else those equal but for case, those whose file is called so, those that begin with it.

    A file is called by its own name, without its folders and with or without its ending.
    """
    folded = text.casefold()
    names = [(choice, str(choice).casefold()) for choice in choices]
    files = [(choice, name.replace("\\", "/").rpartition("/")[2]) for choice, name in names]
    return (
        [choice for choice in choices if str(choice) == text][:1]
        or [choice for choice, name in names if name == folded]
        or [choice for choice, name in files if folded and folded in (name, _stem(name))]
        or [choice for choice, name in names if folded and name.startswith(folded)]
        or [choice for choice, name in files if folded and name.startswith(folded)]
    )


def _stem(name: str) -> str:
    return next((name[: -len(ending)] for ending in MODEL_FILES if name.endswith(ending)), name)


def _read_other(spec: Input, text: str) -> Any:
    """JSON where the text is JSON; a plain word stands for itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_READERS: dict[str, Callable[[Input, str], Any]] = {
    "INT": _read_int,
    "FLOAT": _read_float,
    "BOOLEAN": _read_bool,
    "STRING": _read_text,
    COMBO: _read_choice,
    dynamic.COMBO: _read_choice,
}
