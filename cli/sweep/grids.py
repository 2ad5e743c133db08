"""Where each combination stands on a contact sheet: rows by columns of the two parameters that vary most. Pure."""

import math
from collections.abc import Sequence

import msgspec

from .points import Point, text

_LONG, _WIDE = 24, 8
"""Characters from which on a label is better at the side than on top; cells side by side where there is but one parameter."""


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """One block of cells."""

    title: str
    """What all of them have in common; empty where there is but one block."""
    columns: list[str]
    """Labels on top, or none."""
    rows: list[str]
    """Labels at the side, or none."""
    cells: list[list[Point | None]]
    captioned: bool
    """Whether each cell says its own values, as no row and column do."""


def grids(points: Sequence[Point], *, paired: bool = False) -> list[Grid]:
    """The blocks, one for each combination of what is neither row nor column."""
    names = list(points[0].values) if points else []
    if paired or len(names) < 2:
        return [_captioned(points)] if points else []
    values = {name: list({text(point.values[name]): None for point in points}) for name in names}
    most = sorted(names, key=lambda name: -len(values[name]))[:2]
    column, row = sorted(most, key=lambda name: (max(map(len, values[name])) > _LONG, most.index(name)))
    blocks: dict[tuple[str, ...], dict[tuple[str, str], Point]] = {}
    rest = [name for name in names if name not in (column, row)]
    for point in points:
        cells = blocks.setdefault(tuple(f"{name} {text(point.values[name])}" for name in rest), {})
        cells[text(point.values[row]), text(point.values[column])] = point
    return [
        Grid(
            title=" · ".join(common),
            columns=[f"{column} {one}" for one in values[column]],
            rows=[f"{row} {one}" for one in values[row]],
            cells=[[cells.get((side, top)) for top in values[column]] for side in values[row]],
            captioned=False,
        )
        for common, cells in blocks.items()
    ]


def _captioned(points: Sequence[Point]) -> Grid:
    wide = len(points) if len(points) <= _WIDE else min(_WIDE * 2, math.ceil(math.sqrt(len(points))))
    cells: list[list[Point | None]] = [list(points[at : at + wide]) for at in range(0, len(points), wide)]
    cells[-1] += [None] * (wide - len(cells[-1]))
    return Grid(title="", columns=[], rows=[], cells=cells, captioned=bool(points[0].values))
