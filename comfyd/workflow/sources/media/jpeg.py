"""JPEG: EXIF in APP1 segments, and comments."""

from collections.abc import Iterator

from . import exif
from .window import Damaged, Window, decoded

_APP1, _COMMENT = 0xE1, 0xFE
_PICTURE = (0xDA, 0xD9)
"""Markers from which on only the picture follows."""


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts in the file's order."""
    offset = 2
    while True:
        start, marker = window.read(offset, 2)
        if start != 0xFF:
            raise Damaged("its segments do not fit together")
        if marker in _PICTURE:
            return
        if marker == 0xFF:  # a fill byte
            offset += 1
            continue
        length = int.from_bytes(window.read(offset + 2, 2), "big")
        body = window.part(offset + 4, length - 2)
        if marker == _APP1 and body.upto(0, 6) == b"Exif\0\0":
            yield from exif.texts(body)
        elif marker == _COMMENT:
            yield "comment", decoded(body.all())
        offset += 2 + length
