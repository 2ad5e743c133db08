"""How names and values that came from a file are shown inside a sentence: short, escaped, on one line."""

_LONGEST = 80


def shown(value: object) -> str:
    """A value in quotes where it is text, shortened, without control characters; never raises."""
    if isinstance(value, str):
        return f"'{plain(value)}'"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, dict) else "something that is not JSON"


def plain(text: str) -> str:
    """Text without quotes, shortened, control and invisible characters escaped."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 20] + "…" + text[-19:]
    return printable(text)


def printable(text: str) -> str:
    """Text that came from a file, safe for a terminal: control and invisible characters escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _number(value: float) -> str:
    if isinstance(value, int) and value.bit_length() > 200:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)


def listed(names: list[str], limit: int = 8) -> str:
    """Names joined for a sentence; the rest only counted."""
    rest = len(names) - limit
    return ", ".join(plain(name) for name in names[:limit]) + (f" and {rest} more" if rest > 0 else "")
