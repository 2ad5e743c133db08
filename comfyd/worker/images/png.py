"""PNG files from eight-bit pixels: own row filters and a fast deflate, or Pillow at any level."""

import functools
import io
import os
import struct
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Protocol

from PIL import Image

from . import deflate
from .filters import BLOCK, Bytes, filtered

Chunk = tuple[bytes, bytes]
"""Type and data."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {2: 4, 3: 2, 4: 6}  # channels -> grey with alpha, RGB, RGBA
_HEADER = b"\x78\x01"  # of a zlib stream, fastest
_STRIPS = max(1, min(4, (os.cpu_count() or 1) // 2))
_STRIP_BYTES = 1 << 17  # fewer are not worth a thread
_threads = ThreadPoolExecutor(_STRIPS, "strip")


class Texts(Protocol):
    """Pillow's PngInfo, as far as it is used here."""

    chunks: list[tuple[bytes, bytes]]


def fast(pixels: Bytes, texts: Texts | None) -> list[bytes]:
    """The parts of a file; ``pixels`` is (height, width, 2 to 4 channels), C-contiguous. Large ones are worked on in strips."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    before = [part for chunk in [(b"IHDR", header), *_chunks(texts)] for part in _framed(*chunk)]
    return [_SIGNATURE, *before, *_body(pixels), *_framed(b"IEND", b"")]


def _body(pixels: Bytes) -> list[bytes]:
    """IDAT chunks, one for each strip; together they hold one zlib stream."""
    edges = _edges(pixels.shape[0], pixels.nbytes)
    strips = [functools.partial(_strip, pixels, start, stop) for start, stop in pairwise(edges)]
    done = [strips[0]()] if len(strips) == 1 else list(_threads.map(lambda strip: strip(), strips))
    check = 1
    for rows, _ in done:
        check = deflate.fastest.adler32(rows, check)
    end = _framed(b"IDAT", struct.pack(">I", check))
    return [*_framed(b"IDAT", _HEADER), *(part for _, parts in done for part in parts), *end]


def _edges(height: int, size: int) -> list[int]:
    """Where the strips begin and end; every strip but the last is a whole number of filter blocks high."""
    count = max(1, min(_STRIPS, size // _STRIP_BYTES, height // BLOCK))
    return [*(height * number // count // BLOCK * BLOCK for number in range(count)), height]


def _strip(pixels: Bytes, start: int, stop: int) -> tuple[Bytes, tuple[bytes, ...]]:
    """Filtered rows, and the chunk that holds them compressed; the last strip ends the stream, the others on a whole byte."""
    rows = filtered(pixels, start, stop)
    stream = deflate.way(rows)()
    flush = zlib.Z_FINISH if stop == pixels.shape[0] else zlib.Z_SYNC_FLUSH
    return rows, _framed(b"IDAT", stream.compress(rows) + stream.flush(flush))


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
