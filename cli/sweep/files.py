"""Files that are there whole or not at all: written beside their place, and moved there when they are complete."""

import filecmp
import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import IO

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tiff", ".avif"})


def is_picture(name: str | Path) -> bool:
    """Whether a contact sheet can show it."""
    return Path(name).suffix.lower() in _PICTURES


def publish(target: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Write a file through ``fill``; raises OSError."""
    handle, temporary = tempfile.mkstemp(prefix=".comfyd-", suffix=target.suffix, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
        umask = os.umask(0o077)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def copied(file: Path, target: Path) -> Path:
    """Copy; where another file has the name already, under that name with a number. Raises OSError."""
    import shutil

    for free in _names(target):
        if not free.exists():
            with file.open("rb") as source:
                publish(free, lambda stream: shutil.copyfileobj(source, stream, 1 << 20))
            return free
        if filecmp.cmp(file, free, shallow=False):  # copied before, and not written down any more
            return free
    raise AssertionError("unreachable")


def _names(target: Path) -> Iterator[Path]:
    yield target
    for number in count(2):
        yield target.with_name(f"{target.stem}~{number}{target.suffix}")
