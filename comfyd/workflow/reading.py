"""Text that somebody typed, read by the type of the input it is for."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from . import dynamic
from .nodeclass import COMBO, Input
from .values import Rejected, convert, converted, expected, not_among
from .wording import listed, shown

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
    """The choice spelled so, else the only one that equals it ignoring case, else the only one that begins with it."""
    choices = spec.choices or ()
    exact = [choice for choice in choices if str(choice) == text]
    folded = text.casefold()
    found = exact[:1] or [c for c in choices if str(c).casefold() == folded] or _begins(choices, folded)
    if len(found) == 1:
        return found[0]
    if len(found) > 1 and not spec.trusted:
        raise Rejected(
            f"has several choices that begin with {shown(text)} ({listed([str(c) for c in found])}); give more of the name."
        )
    if spec.multiselect:
        return _read_other(spec, text)
    return text


def _begins(choices: tuple[Any, ...], folded: str) -> list[Any]:
    return [c for c in choices if str(c).casefold().startswith(folded)] if folded else []


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
