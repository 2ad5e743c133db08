"""PNG and animated PNG: the chunks tEXt, zTXt, iTXt, eXIf, and comf, in which ComfyUI keeps an animation's workflow."""

import io
import zlib
from collections.abc import Iterator
from struct import unpack

from . import exif
from .window import Damaged, Window, decoded


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts in the file's order."""
    offset = 8
    while True:
        length, kind = unpack(">I4s", window.read(offset, 8))
        if kind == b"IEND":
            return
        if kind in _READERS:
            yield from _READERS[kind](window, _checked(window, offset, length))
        offset += 12 + length


def _checked(window: Window, offset: int, length: int) -> bytes:
    data = window.read(offset + 4, length + 8)
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "big"):
        raise Damaged("the checksum of a text in it is wrong")
    return data[4:-4]


def _plain(window: Window, data: bytes) -> Iterator[tuple[str, str]]:
    key, _, text = data.partition(b"\0")
    yield key.decode("latin-1"), decoded(text)


def _compressed(window: Window, data: bytes) -> Iterator[tuple[str, str]]:
    key, _, rest = data.partition(b"\0")
    yield key.decode("latin-1"), decoded(window.inflated(rest[1:]))


def _international(window: Window, data: bytes) -> Iterator[tuple[str, str]]:
    key, _, rest = data.partition(b"\0")
    _language, _, text = rest[2:].partition(b"\0")
    _translated, _, text = text.partition(b"\0")
    yield key.decode("latin-1"), decoded(window.inflated(text) if rest[:1] == b"\1" else text)


def _exif(window: Window, data: bytes) -> Iterator[tuple[str, str]]:
    return exif.texts(Window.of(io.BytesIO(data)))


_READERS = {b"tEXt": _plain, b"comf": _plain, b"zTXt": _compressed, b"iTXt": _international, b"eXIf": _exif}
