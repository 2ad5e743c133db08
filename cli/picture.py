"""A few rows that are drawn over again where the cursor is, and withdrawn without a trace; also when the terminal narrows."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_HIDE_CURSOR, _SHOW_CURSOR, _ERASE_BELOW = "\x1b[?25l", "\x1b[?25h", "\x1b[J"


class Picture:
    """Rows on a terminal, for the length of a ``with`` block in which nothing else is printed there."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._cells: list[int] = []
        """The width of each row that is drawn."""

    def __enter__(self) -> Self:
        self._write(_HIDE_CURSOR)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._write(self._erasing() + _SHOW_CURSOR)

    def draw(self, rows: Sequence["Text"]) -> None:
        """Put these rows in the place of those before."""
        with self._console.capture() as captured:
            for number, row in enumerate(rows):
                self._console.print(row, end="" if number == len(rows) - 1 else "\n")
        self._write(self._erasing() + captured.get())
        self._cells = [row.cell_len for row in rows]

    def _erasing(self) -> str:
        """Back to where the first row begins: terminals wrap rows that have become too wide for them."""
        up = wrapped(self._cells, self._console.width) - 1
        return "\r" + (f"\x1b[{up}A" if up > 0 else "") + _ERASE_BELOW

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def wrapped(cells: Sequence[int], width: int) -> int:
    """How many lines rows of so many cells take in a terminal of this width."""
    return sum(max(1, -(-count // max(1, width))) for count in cells)
