"""Pictures of half blocks: the upper half of a cell in one colour, the lower one in another."""

from collections.abc import Callable
from functools import cache

from .pixels import Pixels
from .room import Cells

_UPPER, _RESET = "▀", "\x1b[0m"
Colour = Callable[[int, int, int], str]
_LEVELS = (0, 95, 135, 175, 215, 255)
"""Of each colour in a terminal's cube of 216."""


def rows(pixels: Pixels, cells: Cells, *, direct: bool) -> list[str]:
    """The picture line by line; ``direct``: in all colours, else in the terminal's 256."""
    data = pixels.scaled(cells.columns, 2 * cells.rows).data
    line = 3 * cells.columns
    colour = _direct if direct else _indexed
    return [_row(data[at : at + line], data[at + line : at + 2 * line], colour) for at in range(0, len(data), 2 * line)]


def _row(upper: bytes, lower: bytes, colour: Colour) -> str:
    """A line of cells; a colour that goes on is not said again."""
    parts, before, behind = [], "", ""
    for at in range(0, len(upper), 3):
        front, back = colour(*upper[at : at + 3]), colour(*lower[at : at + 3])
        said = [f"38;{front}"] if front != before else []
        said += [f"48;{back}"] if back != behind else []
        parts.append(f"\x1b[{';'.join(said)}m{_UPPER}" if said else _UPPER)
        before, behind = front, back
    return "".join(parts) + _RESET


def _direct(red: int, green: int, blue: int) -> str:
    return f"2;{red};{green};{blue}"


@cache
def _indexed(red: int, green: int, blue: int) -> str:
    """The nearest of the cube's and of the 24 greys."""
    near = [min(range(6), key=lambda step: abs(_LEVELS[step] - value)) for value in (red, green, blue)]
    grey = min(23, max(0, (red + green + blue) // 3 - 3) // 10)
    in_cube = sum((_LEVELS[step] - value) ** 2 for step, value in zip(near, (red, green, blue), strict=True))
    in_greys = sum((8 + 10 * grey - value) ** 2 for value in (red, green, blue))
    return f"5;{16 + 36 * near[0] + 6 * near[1] + near[2]}" if in_cube <= in_greys else f"5;{232 + grey}"
