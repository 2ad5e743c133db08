"""The files of a sweep: which of them are pictures, and under which names they are in its directory."""

import filecmp
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from comfyd.whole import copy

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tiff", ".avif"})


def is_picture(name: str | Path) -> bool:
    """Whether a contact sheet can show it."""
    return Path(name).suffix.lower() in _PICTURES


def copied(file: Path, target: Path) -> Path:
    """Copy; where another file has the name already, under that name with a number. Raises OSError."""
    for free in _names(target):
        if not free.exists():
            copy(file, free)
            return free
        if filecmp.cmp(file, free, shallow=False):  # copied before, and not written down any more
            return free
    raise AssertionError("unreachable")


def _names(target: Path) -> Iterator[Path]:
    yield target
    for number in count(2):
        yield target.with_name(f"{target.stem}~{number}{target.suffix}")
