"""PNG files from eight-bit pixels: own row filters and a fast deflate, or Pillow at any level."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Protocol

from PIL import Image

from .filters import Bytes, filtered

try:
    from isal.isal_zlib import compress as _deflate
except ImportError:  # an interpreter of the user's own may lack it
    _deflate = zlib.compress

Chunk = tuple[bytes, bytes]
"""Type and data."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {2: 4, 3: 2, 4: 6}  # channels -> grey with alpha, RGB, RGBA
_DEFLATE_LEVEL = 1


class Texts(Protocol):
    """Pillow's PngInfo, as far as it is used here."""

    chunks: list[tuple[bytes, bytes]]


def fast(pixels: Bytes, texts: Texts | None) -> list[bytes]:
    """The parts of a file; ``pixels`` is (height, width, 2 to 4 channels), C-contiguous."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    body = _deflate(filtered(pixels), _DEFLATE_LEVEL)
    chunks: list[Chunk] = [(b"IHDR", header), *_chunks(texts), (b"IDAT", body), (b"IEND", b"")]
    return [_SIGNATURE, *(part for chunk in chunks for part in _framed(*chunk))]


def by_pillow(pixels: Bytes, texts: Texts | None, level: int) -> list[bytes]:
    """The same from Pillow, which is what ComfyUI writes where ``level`` is its own."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", pnginfo=texts, compress_level=level)
    return [file.getvalue()]


def _chunks(texts: Texts | None) -> Iterable[Chunk]:
    """Text chunks, in the order they were added."""
    return [(chunk[0], chunk[1]) for chunk in texts.chunks] if texts else []


def _framed(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes]:
    return struct.pack(">I", len(data)) + kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
