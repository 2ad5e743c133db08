"""Files that are there whole or not at all: written beside their place, and moved there when they are complete."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO


def publish(target: Path, fill: Callable[[IO[bytes]], object], mode: int | None = None, *, lasting: bool = False) -> None:
    """Write a file through ``fill``; raises OSError.

    Its permissions are ``mode``, or those that any new file gets; ``lasting``: it is still there after a power failure.
    """
    aside = target.parent / f".comfyd-{os.urandom(8).hex()}"
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            if mode is not None:
                os.fchmod(handle, mode)
            fill(stream)
            if lasting:
                stream.flush()
                os.fsync(handle)
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def put(file: Path, data: bytes, mode: int | None = None, *, lasting: bool = False) -> None:
    """Write a file with this content, and its folder where there is none; raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    publish(file, lambda stream: stream.write(data), mode, lasting=lasting)


def copy(file: Path, target: Path, mode: int | None = None) -> None:
    """Write a file that has the content of another; raises OSError."""
    from shutil import copyfileobj

    with file.open("rb") as source:
        publish(target, lambda stream: copyfileobj(source, stream, 1 << 20), mode)


def mode_of(file: Path) -> int | None:
    """The permissions of a file that is to be replaced; None where there is none."""
    return file.stat().st_mode & 0o777 if file.exists() else None
