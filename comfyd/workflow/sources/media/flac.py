"""FLAC: the Vorbis comments among its metadata blocks."""

from collections.abc import Iterator

from .vorbis import comments
from .window import Window

_COMMENTS, _LAST = 4, 0x80


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The comments."""
    offset, last = 4, False
    while not last:
        head = window.read(offset, 4)
        last, length = bool(head[0] & _LAST), int.from_bytes(head[1:], "big")
        if head[0] & ~_LAST == _COMMENTS:
            yield from comments(window.read(offset + 4, length))
        offset += 4 + length
