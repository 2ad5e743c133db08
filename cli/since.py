"""Moments as people give them: a length of time ago, or a date. Pure."""

import re
from datetime import datetime

from comfyd.errors import UsageError
from comfyd.workflow.wording import shown

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


def moment(text: str, now: float) -> float:
    """Seconds since the epoch of ``2h``, ``1d12h``, ``2026-11-23`` or ``2026-11-23T12:00``; raises UsageError."""
    text = text.strip().lower()
    parts = _LENGTH.findall(text)
    if parts and _LENGTH.sub("", text).strip() == "" and all(unit in _UNITS for _, unit in parts):
        return now - sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsageError(f"--since takes a length of time (30m, 2h, 1d) or a date (2026-11-23), not {shown(text)}.") from None
