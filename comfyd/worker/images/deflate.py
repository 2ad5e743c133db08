"""How filtered rows are compressed: the quickest way there is, or another that a sample of them shows to be worth its time."""

import contextlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy

from .filters import Bytes

fastest: Any = zlib
with contextlib.suppress(ImportError):  # an interpreter of the user's own may lack it
    from isal import isal_zlib as fastest

_PATIENCE = 1 << 20  # bytes in one piece from which on every other way takes more than ten milliseconds
_SLICES, _SLICE = 4, 1 << 12  # of a sample
_WORTH = 0.98  # share of the quickest way's bytes from which on that is good enough
_DULL = 0.05  # share that is left of rows so alike that a search for the longest matches is quick

Way = Callable[[], Any]
"""Makes a compressor of a raw deflate stream."""


def quick() -> Any:
    """Ten times as fast as the others: short matches, codes as they come."""
    return fastest.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)


def codes() -> Any:
    """Best codes and no matches: for a decoder's pictures, where three bytes alike mean nothing and cost more than they save."""
    return zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_HUFFMAN_ONLY)


def runs() -> Any:
    """Best codes, and matches of a byte with the one before it: for smooth pictures that have been enlarged."""
    return zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_RLE)


def search() -> Any:
    """Long matches: for gradients, areas of one colour, drawings."""
    return zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)


def way(rows: Bytes) -> Way:
    """The one for these rows."""
    if rows.size > _PATIENCE:
        return quick
    sample = _sample(rows.reshape(-1))
    sizes = {each: _size(each, sample) for each in (quick, codes, runs)}
    best = min(sizes, key=lambda each: sizes[each])
    if sizes[best] < _DULL * len(sample):
        return search
    return best if sizes[best] < _WORTH * sizes[quick] else quick


def _sample(data: Bytes) -> bytes:
    """All of them, or slices from everywhere."""
    if data.size <= _SLICES * _SLICE:
        return bytes(data)
    starts = numpy.linspace(0, data.size - _SLICE, _SLICES).astype(int)
    return b"".join(bytes(data[start : start + _SLICE]) for start in starts)


def _size(each: Way, data: bytes) -> int:
    stream = each()
    return len(stream.compress(data)) + len(stream.flush())
