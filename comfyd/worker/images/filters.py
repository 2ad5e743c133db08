"""PNG's row filters on whole blocks of rows, and the choice among them; pure, numpy only.

A block has one filter: the one whose residuals are smallest on a sample of its rows, the measure that libpng takes for each row.
Rows lie end to end, a pixel of zeros before each, which is what PNG has to the left of a row: so few calls do much.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import numpy

Bytes = Any
"""numpy array of uint8: rows of interleaved channels."""

BLOCK = 32  # rows with one filter
_PIECE = 1 << 18  # bytes worked on at a time: few enough to stay in the processor's cache
_SAMPLE = 1 << 14  # bytes that are looked at, if one row of each block is no more
_MOST = 8  # rows of a block
_OTHERS = 0.05  # weight of the other blocks' cost
_GOLDEN = 0.618034  # multiples of which are spread evenly and repeat no pattern


def filtered(pixels: Bytes, start: int, stop: int, kinds: list[int]) -> Bytes:
    """Some rows as PNG's IDAT holds them before compression: (rows, 1 + width * channels), the first byte names the filter.

    ``pixels`` is the whole picture, (height, width, channels), C-contiguous, ``kinds`` has the filters of all its blocks, and
    ``start`` is where one of them begins. The rows are filtered by those above them.
    """
    _, width, channels = pixels.shape
    out = numpy.empty((stop - start, 1 + width * channels), numpy.uint8)
    line = (1 + width) * channels
    lines = _lines(pixels[max(0, start - 1) : stop], stop - start + 1)
    current, above = lines[line:], lines[:-line]
    for first, last, kind in _pieces(kinds, start, stop, line):
        piece = slice((first - start) * line, (last - start) * line + channels)
        into = out[first - start : last - start]
        into[:, 0] = kind
        _subtract(current[piece], _predicted(kind, current[piece], above[piece], channels), channels, into[:, 1:])
    return out


def _subtract(current: Bytes, predicted: Bytes, channels: int, out: Bytes) -> None:
    """Residuals of lines as rows, without what stands before them."""
    shape = len(out), out.shape[1] + channels
    numpy.subtract(current[channels:].reshape(shape)[:, channels:], predicted.reshape(shape)[:, channels:], out=out)


def _pieces(kinds: list[int], start: int, stop: int, line: int) -> Iterator[tuple[int, int, int]]:
    """Rows that are filtered at once, from and to, and their filter: neighbouring blocks with the same one, as many as fit."""
    most = max(1, _PIECE // line // BLOCK) * BLOCK
    for kind, run in groupby(range(start // BLOCK, -(-stop // BLOCK)), kinds.__getitem__):
        blocks = list(run)
        begin, end = blocks[0] * BLOCK, min((blocks[-1] + 1) * BLOCK, stop)
        yield from ((first, min(first + most, end), kind) for first in range(begin, end, most))


def _lines(rows: Bytes, count: int) -> Bytes:
    """The rows end to end, zeros before each of them and for those that lack in front, and one more pixel of zeros first."""
    _, width, channels = rows.shape
    lines = numpy.empty((1 + count * (1 + width)) * channels, numpy.uint8)
    lines[:channels] = 0
    table = lines[channels:].reshape(count, (1 + width) * channels)
    table[:, :channels] = 0
    lacking = count - len(rows)
    table[:lacking] = 0
    table[lacking:, channels:] = rows.reshape(len(rows), -1)
    return lines


def choose(pixels: Bytes) -> tuple[list[int], Bytes]:
    """The filter of each block, and for a sample the rows they were chosen on, filtered: (rows, 1 + width * channels)."""
    height, width, channels = pixels.shape
    at, per = _sampled(height, width * channels)
    residuals = _residuals(pixels, at)
    # Magnitudes of what is read as signed bytes; that of -128 is right as an unsigned one.
    costs = numpy.abs(residuals.view(numpy.int8)).view(numpy.uint8).sum(axis=2, dtype=numpy.uint32)
    blocks = costs.reshape(len(FILTERS), -1, per).sum(axis=2)
    # A block whose sampled rows do no more than repeat others has several best ones: of these the picture's.
    kinds = (blocks + _OTHERS * blocks.mean(axis=1, keepdims=True)).argmin(axis=0)
    return kinds.tolist(), residuals[kinds.repeat(per), numpy.arange(len(at)), channels - 1 :]


def _residuals(pixels: Bytes, at: Bytes) -> Bytes:
    """Some rows by every filter, each behind a pixel of zeros: (filters, rows, (1 + width) * channels)."""
    _, width, channels = pixels.shape
    line = (1 + width) * channels
    # In one piece with those above them; that over the first, which is zeros, is seldom among them and counts as the last here.
    lines = _lines(pixels[numpy.concatenate([at, at - 1])], 2 * len(at))
    current, above = lines[: len(at) * line + channels], lines[len(at) * line :]
    residuals = numpy.empty((len(FILTERS), len(at), line), numpy.uint8)
    for kind, into in enumerate(residuals):
        numpy.subtract(current[channels:], _predicted(kind, current, above, channels), out=into.reshape(-1))
    residuals[:, :, :channels] = 0
    return residuals


def _sampled(height: int, size: int) -> tuple[Bytes, int]:
    """Rows to look at, as many of each block, and how many that is; ``size`` is a row's.

    Their distances are irregular, lest all of them be what an enlargement has repeated, or none.
    """
    blocks = numpy.arange(0, height, BLOCK)
    per = max(1, min(_MOST, _SAMPLE // (len(blocks) * size)))
    heights = numpy.minimum(BLOCK, height - blocks).repeat(per)
    shares = (0.5 + numpy.arange(len(heights)) * _GOLDEN) % 1
    return blocks.repeat(per) + (shares * heights).astype(int), per


def _predicted(kind: int, current: Bytes, above: Bytes, channels: int) -> Bytes:
    """What a filter takes from the bytes of lines, given behind the pixel before them, as are those above."""
    return FILTERS[kind](current[:-channels], above[channels:], above[:-channels])


def _none(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    return numpy.zeros_like(left)


def _sub(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    return left


def _up(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    return above


def _average(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    """floor((left + above) / 2) without a wider type."""
    return (left & above) + ((left ^ above) >> 1)


def _paeth(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    """The neighbour nearest to left + above - corner, ties to the left and then above; in bytes.

    A corner that is no less than the two gives the lower one, one that is no greater the higher. One between them, ``up`` from
    the higher and ``down`` from the lower, lies ``|up - down|`` from the estimate, the lower one ``up`` and the higher ``down``.
    """
    high, low = numpy.maximum(left, above), numpy.minimum(left, above)
    up = numpy.maximum(high, corner, out=high)
    up -= corner
    down = numpy.minimum(low, corner, out=low)
    numpy.subtract(corner, down, out=down)
    to_low, to_high = up <= down >> 1, down <= up >> 1
    # Multiplied with a truth: several times as fast as numpy.where. Where both hold, both distances are none.
    up *= to_high.view(numpy.uint8)
    down *= to_low.view(numpy.uint8)
    up -= down
    up += corner
    return up


FILTERS: list[Callable[[Bytes, Bytes, Bytes], Bytes]] = [_none, _sub, _up, _average, _paeth]
"""By PNG's number."""
