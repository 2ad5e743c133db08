"""The end of a growing file, and what is added to it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 16
_POLL = 0.2


def last(file: Path, count: int) -> tuple[list[str], int]:
    """The last ``count`` lines and the offset after them; nothing of a file that is not there."""
    try:
        with file.open("rb") as stream:
            end = stream.seek(0, 2)
            return _lines(_ending(stream, end, count)[-count:]), end
    except FileNotFoundError:
        return [], 0


def _ending(stream: BinaryIO, end: int, count: int) -> list[bytes]:
    """Lines of the smallest number of blocks that hold enough of them."""
    data, start = b"", end
    while start and data.count(b"\n") <= count:
        step = min(_BLOCK, start)
        start = stream.seek(start - step)
        data = stream.read(step) + data
    return data.splitlines()


def added(file: Path, offset: int) -> Iterator[str]:
    """Whole lines as they are written, for ever; a file that was replaced is read from its beginning."""
    rest = b""
    while True:
        data, offset = _read(file, offset)
        *lines, rest = (rest + data).split(b"\n")
        yield from _lines(lines)
        if not data:
            time.sleep(_POLL)


def _read(file: Path, offset: int) -> tuple[bytes, int]:
    try:
        with file.open("rb") as stream:
            offset = 0 if stream.seek(0, 2) < offset else offset
            stream.seek(offset)
            data = stream.read(_BLOCK)
            return data, offset + len(data)
    except FileNotFoundError:
        return b"", 0


def _lines(raw: list[bytes]) -> list[str]:
    return [line.decode("utf-8", "replace").rstrip("\r") for line in raw]
