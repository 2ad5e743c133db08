"""PNG files from eight-bit pixels: own row filters and a fast deflate, or Pillow at any level."""

import functools
import io
import os
import struct
import zlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Protocol

from PIL import Image

from . import deflate
from .filters import BLOCK, Bytes, choose, filtered

Chunk = tuple[bytes, bytes]
"""Type and data."""
Parts = tuple[bytes, bytes, bytes]
"""Of a chunk, one after the other."""
Strip = tuple[int, int, Parts]
"""Checksum and size of some filtered rows, and the chunk that holds them compressed."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {2: 4, 3: 2, 4: 6}  # channels -> grey with alpha, RGB, RGBA
_HEADER = b"\x78\x01"  # of a zlib stream, fastest
_STRIPS = max(1, min(8, (os.cpu_count() or 1) // 2))
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
    kinds, sample = choose(pixels)
    edges = list(pairwise(_edges(pixels.shape[0], pixels.nbytes)))
    size = pixels.nbytes // len(edges)
    if len(edges) == 1:
        strips = [_strip(filtered(pixels, *edges[0], kinds), True, deflate.way(sample, size))]
    else:
        strips = _in_threads(pixels, edges, kinds, _threads.submit(deflate.way, sample, size))
    check = functools.reduce(lambda one, strip: deflate.joined(one, *strip[:2]), strips, 1)
    end = _framed(b"IDAT", struct.pack(">I", check))
    return [*_framed(b"IDAT", _HEADER), *(part for _, _, parts in strips for part in parts), *end]


def _in_threads(pixels: Bytes, edges: list[tuple[int, int]], kinds: list[int], way: Future[deflate.Way]) -> list[Strip]:
    """Filters strip after strip, since many short calls in threads wait for each other, and has each compressed meanwhile."""
    begun = [
        _threads.submit(lambda rows, last: _strip(rows, last, way.result()), filtered(pixels, *edge, kinds), edge is edges[-1])
        for edge in edges
    ]
    return [strip.result() for strip in begun]


def _edges(height: int, size: int) -> list[int]:
    """Where the strips begin and end; every strip but the last is a whole number of filter blocks high."""
    count = max(1, min(_STRIPS, size // _STRIP_BYTES, height // BLOCK))
    return [*(height * number // count // BLOCK * BLOCK for number in range(count)), height]


def _strip(rows: Bytes, last: bool, way: deflate.Way) -> Strip:
    """Compresses filtered rows; the last strip ends the stream, the others end on a whole byte."""
    stream = way()
    data = stream.compress(rows) + stream.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
    return deflate.fastest.adler32(rows), rows.nbytes, _framed(b"IDAT", data)


def by_pillow(pixels: Bytes, texts: Texts | None, level: int) -> list[bytes]:
    """The same from Pillow, which is what ComfyUI writes where ``level`` is its own."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", pnginfo=texts, compress_level=level)
    return [file.getvalue()]


def _chunks(texts: Texts | None) -> Iterable[Chunk]:
    """Text chunks, in the order they were added."""
    return [(chunk[0], chunk[1]) for chunk in texts.chunks] if texts else []


def _framed(kind: bytes, data: bytes) -> Parts:
    return struct.pack(">I", len(data)) + kind, data, struct.pack(">I", deflate.fastest.crc32(data, zlib.crc32(kind)))
