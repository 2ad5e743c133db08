"""Values of nodes in a form that can travel: what msgpack has no word for becomes the nearest thing it has."""

from typing import Any

_INTEGERS = range(-(2**63), 2**64)
_FLOATS = 2**1000


def plain(value: Any) -> Any:
    """The value as None, booleans, numbers, text, lists and string-keyed dicts; anything else as its number or its text."""
    match value:
        case None | bool() | float():
            return value
        case int():
            return int(value) if value in _INTEGERS else float(value) if abs(value) < _FLOATS else str(value)
        case str():
            return text(value)
        case dict():
            return {text(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
    return _number(value) if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else text(str(value)[:10_000])


def text(value: str) -> str:
    """The string without lone surrogates (file names that are no UTF-8), which cannot be encoded."""
    return value.encode("utf-8", "replace").decode()


def _number(value: Any) -> Any:
    """The Python number of a numpy or torch scalar."""
    number = value.item()
    return number if isinstance(number, (bool, int, float)) else text(str(number))
