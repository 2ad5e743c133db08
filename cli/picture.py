"""A few rows that are drawn over again where the cursor is, and withdrawn without a trace; also when the terminal narrows.

Only rows that differ are written, and a picture above them when it has changed, so that nothing flickers.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from .preview.screen import Drawn

_HIDE_CURSOR, _SHOW_CURSOR, _ERASE_BELOW, _ERASE_ROW = "\x1b[?25l", "\x1b[?25h", "\x1b[J", "\x1b[2K"
_TOGETHER, _SHOWN = "\x1b[?2026h", "\x1b[?2026l"
"""What stands between them appears at once, in terminals that know them."""


class Picture:
    """Rows on a terminal, for the length of a ``with`` block in which nothing else is printed there."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._cells: list[int] = []
        """The width of each row that is drawn."""
        self._lines: list[str] = []
        self._width = 0
        self._drawn: Drawn | None = None

    def __enter__(self) -> Self:
        self._write(_HIDE_CURSOR)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        gone = self._drawn.gone if self._drawn else ""
        self._write(gone + self._erasing() + _SHOW_CURSOR)

    def draw(self, rows: Sequence["Text"], drawn: "Drawn | None" = None) -> None:
        """Put these rows, below this picture, in the place of those before."""
        lines = [*(drawn.lines if drawn else ()), *self._rendered(rows)]
        cells = [*([drawn.cells.columns] * drawn.cells.rows if drawn else ()), *(row.cell_len for row in rows)]
        fits = self._width == self._console.width and len(lines) == len(self._lines) and _rows(drawn) == _rows(self._drawn)
        text = self._changing(lines) if fits else self._erasing() + "\n".join(lines)
        if drawn is not None and drawn.over and (drawn is not self._drawn or not fits):
            from .preview.screen import laid_over

            text += laid_over(drawn.over, len(lines) - 1)
        self._write(_TOGETHER + text + _SHOWN if drawn else text)
        self._lines, self._cells, self._width, self._drawn = lines, cells, self._console.width, drawn

    def _rendered(self, rows: Sequence["Text"]) -> list[str]:
        with self._console.capture() as captured:
            for number, row in enumerate(rows):
                self._console.print(row, end="" if number == len(rows) - 1 else "\n")
        return captured.get().split("\n")

    def _changing(self, lines: Sequence[str]) -> str:
        """From the last row up to the first, and down again past those that stay as they are."""
        up = len(lines) - 1
        changed = ["" if line == before else f"\r{_ERASE_ROW}{line}" for line, before in zip(lines, self._lines, strict=True)]
        return "\r" + (f"\x1b[{up}A" if up else "") + "\n".join(changed)

    def _erasing(self) -> str:
        """Back to where the first row begins: terminals wrap rows that have become too wide for them."""
        up = wrapped(self._cells, self._console.width) - 1
        return "\r" + (f"\x1b[{up}A" if up > 0 else "") + _ERASE_BELOW

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def _rows(drawn: "Drawn | None") -> int:
    return drawn.cells.rows if drawn else 0


def wrapped(cells: Sequence[int], width: int) -> int:
    """How many lines rows of so many cells take in a terminal of this width."""
    return sum(max(1, -(-count // max(1, width))) for count in cells)
