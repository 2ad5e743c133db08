"""Quantities and foreign text as people read them. Pure."""

from comfyd.workflow.wording import printable as printable

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Bytes with two or three figures, in steps of 1024, as GPU tools print them: ``1.2 GB``."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit < 1 or value >= 100 else f"{value:.1f} {_UNITS[unit]}"


def span(seconds: float) -> str:
    """A length of time: ``4 ms``, ``0.61 s``, ``12.3 s``, ``2:05 min``, ``1:02:03 h``."""
    if seconds < 0.0995:
        return f"{max(seconds, 0.0) * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d} h"


def clock(seconds: float) -> str:
    """A running clock in whole seconds: ``0:07``."""
    whole = max(0, int(seconds))
    hours = f"{whole // 3600}:{whole // 60 % 60:02d}" if whole >= 3600 else f"{whole // 60}"
    return f"{hours}:{whole % 60:02d}"


def ago(seconds: float) -> str:
    """How long ago, in the largest whole unit: ``now``, ``40 s ago``, ``4 min ago``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "now"


def rate(per_second: float) -> str:
    """Steps per second, or seconds per step where that reads better."""
    if per_second >= 1:
        return f"{per_second:.1f} it/s" if per_second < 100 else f"{per_second:.0f} it/s"
    return f"{1 / per_second:.1f} s/it"


def count(number: int, one: str, many: str = "") -> str:
    """``1 node``, ``2 nodes``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def wrapped(text: str, width: int) -> str:
    """A sentence broken between words for a terminal; paths and commands are never broken."""
    import textwrap

    return "\n".join(textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False))
