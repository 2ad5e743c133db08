"""PNG's row filters on whole blocks of rows, and the choice among them; pure, numpy only.

A block has one filter: the one whose residuals are smallest on a sample of its rows, the measure that libpng takes for each row.
"""

from collections.abc import Callable
from typing import Any

import numpy

Bytes = Any
"""numpy array of uint8: rows of interleaved channels."""

BLOCK = 32  # rows with one filter: few enough to stay in the processor's cache while they are worked on
_SAMPLE = 16  # one row in so many is looked at


def filtered(pixels: Bytes, start: int, stop: int) -> Bytes:
    """Some rows as PNG's IDAT holds them before compression: (rows, 1 + width * channels), the first byte names the filter.

    ``pixels`` is the whole picture, (height, width, channels), C-contiguous; the rows are filtered by those above them.
    """
    height, width, channels = pixels.shape
    rows = pixels.reshape(height, width * channels)
    out = numpy.empty((stop - start, 1 + width * channels), numpy.uint8)
    for number, kind in enumerate(choose(rows[start:stop], channels)):
        block = slice(start + number * BLOCK, min(start + (number + 1) * BLOCK, stop))
        into = out[block.start - start : block.stop - start]
        into[:, 0] = kind
        _apply(kind, rows[block], _above(rows, block), channels, into[:, 1:])
    return out


def choose(rows: Bytes, channels: int) -> list[int]:
    """The filter of each block."""
    sample = numpy.arange(_SAMPLE // 2, rows.shape[0], _SAMPLE) if rows.shape[0] > _SAMPLE else numpy.arange(rows.shape[0])
    current = rows[sample]
    above = numpy.where(sample[:, None] > 0, rows[sample - 1], 0).astype(numpy.uint8)
    costs = numpy.stack([_cost(kind, current, above, channels) for kind in range(len(FILTERS))])
    starts = numpy.searchsorted(sample, numpy.arange(0, rows.shape[0], BLOCK))
    # A last block too low to hold a sampled row takes the one before it as its model.
    totals = numpy.add.reduceat(costs, numpy.minimum(starts, len(sample) - 1), axis=1)
    return [int(kind) for kind in totals.argmin(axis=0)]


def _cost(kind: int, current: Bytes, above: Bytes, channels: int) -> Bytes:
    """For each row the sum of its residuals' magnitudes, read as signed bytes."""
    residual = numpy.empty_like(current)
    _apply(kind, current, above, channels, residual)
    return numpy.minimum(residual, 0 - residual).sum(axis=1, dtype=numpy.int64)


def _above(rows: Bytes, block: slice) -> Bytes:
    """The row over each row of a block; over the picture's first lie zeros."""
    if block.start:
        return rows[block.start - 1 : block.stop - 1]
    return numpy.concatenate([numpy.zeros_like(rows[:1]), rows[: block.stop - 1]])


def _apply(kind: int, rows: Bytes, above: Bytes, channels: int, out: Bytes) -> None:
    """Filters rows into ``out``; what is left of a row's first pixel counts as zero."""
    first, rest = slice(None, channels), slice(channels, None)
    predict = FILTERS[kind]
    zeros = numpy.zeros_like(rows[:, first])
    out[:, first] = rows[:, first] - predict(zeros, above[:, first], zeros)
    left = slice(None, -channels)
    numpy.subtract(rows[:, rest], predict(rows[:, left], above[:, rest], above[:, left]), out=out[:, rest])


def _none(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    return numpy.zeros((1, 1), numpy.uint8)


def _sub(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    return left


def _up(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    return above


def _average(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    """floor((left + above) / 2) without a wider type."""
    return (left & above) + ((left ^ above) >> 1)


def _paeth(left: Bytes, above: Bytes, corner: Bytes) -> Bytes:
    """The neighbour nearest to left + above - corner, ties to the left and then above; in bytes, by magnitudes and signs.

    With a = |above - corner| and b = |left - corner|, the distances of left and above, the corner's own distance is |a - b| when
    the corner lies between the two and a + b, which is no less than either, when it does not.
    """
    high, low = numpy.maximum(left, above), numpy.minimum(left, above)
    a = numpy.maximum(above, corner) - numpy.minimum(above, corner)
    b = numpy.maximum(left, corner) - numpy.minimum(left, corner)
    nearer, farther = numpy.minimum(a, b), numpy.maximum(a, b)
    at_corner = (low <= corner) & (corner <= high) & (farther - nearer < nearer)
    return _select(at_corner, corner, _select(a <= b, left, above))


def _select(condition: Bytes, yes: Bytes, no: Bytes) -> Bytes:
    """``numpy.where`` for bytes, by masks: three times as fast."""
    return no ^ ((yes ^ no) & (0 - condition.view(numpy.uint8)))


FILTERS: list[Callable[[Bytes, Bytes, Bytes], Bytes]] = [_none, _sub, _up, _average, _paeth]
"""By PNG's number."""
