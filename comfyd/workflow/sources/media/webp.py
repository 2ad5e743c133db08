"""WebP: the RIFF chunk EXIF."""

from collections.abc import Iterator
from struct import unpack

from . import exif
from .window import Window


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts of the EXIF chunks."""
    offset = 12
    while offset + 8 <= window.size:
        kind, length = unpack("<4sI", window.read(offset, 8))
        body = window.part(offset + 8, length)
        if kind == b"EXIF":
            yield from exif.texts(body)
        offset += 8 + length + length % 2
