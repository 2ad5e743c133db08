"""How many cells a picture takes. Pure."""

from typing import NamedTuple

USUAL_CELL = (10, 20)
_LIVE, _LAST = 14, 20
"""Rows at most, of a picture that moves and of one that stays."""
LEAST = 4


class Cells(NamedTuple):
    """A size in character cells."""

    columns: int
    rows: int


def room(columns: int, rows: int, *, live: bool) -> Cells:
    """What pictures may take of a terminal of this size: a third of its height; nothing where they would be in the way."""
    high = min(rows // 3, _LIVE if live else _LAST)
    return Cells(columns - 1, high) if high >= LEAST and columns > 2 * LEAST else Cells(0, 0)


def fitted(width: int, height: int, within: Cells, cell: tuple[int, int] = USUAL_CELL) -> Cells:
    """The largest box of a picture's shape; ``cell`` is a cell's width and height in pixels."""
    shape = (width * cell[1]) / (height * cell[0])
    rows = min(within.rows, within.columns / shape)
    columns = rows * shape
    return Cells(max(1, min(within.columns, round(columns))), max(1, min(within.rows, round(rows))))
