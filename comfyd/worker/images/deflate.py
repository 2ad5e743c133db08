"""How filtered rows are compressed: the quickest way there is, or another that a sample of them shows to be worth its time."""

import contextlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy

from .filters import Bytes

fastest: Any = zlib
best: Any = zlib
with contextlib.suppress(ImportError):  # an interpreter of the user's own may lack it
    from isal import isal_zlib as fastest
with contextlib.suppress(ImportError):
    from zlib_ng import zlib_ng as best

_PATIENCE = 1 << (20 if best is zlib else 21)  # bytes in one piece from which on best codes take more than ten milliseconds
_LONG = 1 << 20  # the same for a search where a twentieth is left
_SLICES, _SLICE = 4, 1 << 11  # of a sample
_WORTH = 0.98  # share of the quickest way's bytes from which on that is good enough
_CLEAR = 0.88  # the same, from which on longer matches, many of which a sample is too short to hold, will not be better
_FLAT, _DULL = 0.1, 0.03  # shares that are left of rows so alike that a search may be worth it, and that it is quick
_BASE = 65521  # of Adler-32

Way = Callable[[], Any]
"""Makes a compressor of a raw deflate stream."""


def quick() -> Any:
    """Several times as fast as the others: short matches, codes as they come."""
    return fastest.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)


def codes() -> Any:
    """Best codes and no matches: for a decoder's pictures, where three bytes alike mean nothing and cost more than they save."""
    return best.compressobj(4, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_HUFFMAN_ONLY)


def runs() -> Any:
    """Best codes, and matches of a byte with the one before it: for smooth pictures that have been enlarged."""
    return best.compressobj(4, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_RLE)


def search() -> Any:
    """Long matches: for gradients, areas of one colour, drawings."""
    return best.compressobj(7, zlib.DEFLATED, -zlib.MAX_WBITS)


def way(rows: Bytes, piece: int) -> Way:
    """The one for a picture of which these are some rows, in pieces of so many bytes."""
    sample = _sample(rows.reshape(-1))
    sizes = {each: _size(each, sample) for each in (quick, codes, runs)}
    least = min(sizes, key=lambda each: sizes[each])
    gain, left = sizes[least] / sizes[quick], sizes[least] / len(sample)
    if left < _DULL or (left < _FLAT and gain > _CLEAR and piece <= _LONG):
        return search
    return least if gain < _WORTH and (left < _FLAT or piece <= _PATIENCE) else quick


def _sample(data: Bytes) -> bytes:
    """All of them, or slices from everywhere."""
    if data.size <= _SLICES * _SLICE:
        return bytes(data)
    starts = numpy.linspace(0, data.size - _SLICE, _SLICES).astype(int)
    return b"".join(bytes(data[start : start + _SLICE]) for start in starts)


def _size(each: Way, data: bytes) -> int:
    stream = each()
    return len(stream.compress(data)) + len(stream.flush())


def joined(check: int, other: int, length: int) -> int:
    """The Adler-32 of two pieces one after the other, of which the second has so many bytes, from theirs."""
    ahead = (check & 0xFFFF) - 1
    low, high = ahead + (other & 0xFFFF), (check >> 16) + (other >> 16) + length * ahead
    return (high % _BASE << 16) | low % _BASE
