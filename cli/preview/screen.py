"""A terminal that shows pictures: how, how many cells it has and how large they are."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self, TextIO

from ..terminal import Terminal
from . import blocks, iterm2, kitty, sixel
from .kinds import BLOCKS, ITERM2, KITTY, kind_of
from .pixels import Pixels, png, read
from .room import USUAL_CELL, Cells, fitted, room

_DIRECT = ("kitty", "ghostty", "foot", "alacritty", "wezterm", "contour", "direct", "rio")
_AS_IT_IS = 2**20
"""Bytes of a file that is sent to the terminal as it is; larger ones are made smaller first, because the way may be long."""
_FEW = 64
"""Colours of a sixel picture that moves."""


class Drawn(NamedTuple):
    """A picture: what is printed in its rows, and what over them, with the cursor at their upper left."""

    cells: Cells
    lines: list[str]
    over: str = ""
    gone: str = ""
    """What takes it off a terminal that keeps it apart from its cells."""


class Screen:
    """Of one stream; sizes are looked up each time, because windows change."""

    def __init__(self, kind: str, stream: TextIO, environ: Mapping[str, str]) -> None:
        self.kind = kind
        self._stream, self._environ = stream, environ

    @classmethod
    def of(cls, terminal: Terminal) -> Self | None:
        """None where no pictures are to be shown; may ask the terminal, once."""
        kind = kind_of(terminal)
        return cls(kind, terminal.stderr, terminal.environ) if kind else None

    @property
    def size(self) -> Cells:
        """Columns and rows."""
        try:
            return Cells(*os.get_terminal_size(self._stream.fileno()))
        except OSError:
            return Cells(80, 24)

    @property
    def cell(self) -> tuple[int, int]:
        """A cell's width and height in pixels, or in blocks' own measure, in which a pixel is half a cell."""
        import fcntl
        import struct
        import termios

        try:
            answer = fcntl.ioctl(self._stream.fileno(), termios.TIOCGWINSZ, bytes(8))
        except OSError:
            return USUAL_CELL
        rows, columns, width, height = struct.unpack("HHHH", answer)
        return (width // columns, height // rows) if rows and columns and width >= columns and height >= rows else USUAL_CELL

    @cached_property
    def _direct(self) -> bool:
        """Whether cells take all colours."""
        said = self._environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
        term = self._environ.get("TERM", "")
        return said or any(name in term for name in _DIRECT) or bool(self._environ.get("WT_SESSION"))

    def room(self, *, live: bool) -> Cells:
        """What pictures may take of it."""
        return room(*self.size, live=live)

    def box(self, width: int, height: int, within: Cells) -> Cells:
        """The cells that a picture of this many pixels takes."""
        return fitted(width, height, within, self.cell)

    def moving(self, pixels: Pixels, cells: Cells) -> Drawn:
        """A picture that another one will replace."""
        if self.kind == KITTY:
            number = os.getpid()
            return Drawn(cells, _blank(cells), kitty.of_pixels(pixels, cells, number), kitty.removed(number))
        return self._drawn(pixels, cells, _FEW)

    def file(self, file: Path, cells: Cells) -> Drawn | None:
        """A file's picture, to stay; None where it cannot be read."""
        if self.kind in (KITTY, ITERM2) and file.suffix.lower() == ".png" and file.stat().st_size <= _AS_IT_IS:
            return Drawn(cells, _blank(cells), self._sent(file.read_bytes(), cells))
        width, height = (cells.columns, 2 * cells.rows) if self.kind == BLOCKS else self._pixels(cells)
        pixels = read(file, width, height)
        return None if pixels is None else self._drawn(pixels, cells)

    def _drawn(self, pixels: Pixels, cells: Cells, colours: int = 256) -> Drawn:
        if self.kind == BLOCKS:
            return Drawn(cells, blocks.rows(pixels, cells, direct=self._direct))
        if self.kind in (KITTY, ITERM2):
            return Drawn(cells, _blank(cells), self._sent(png(pixels), cells))
        return Drawn(cells, _blank(cells), sixel.encoded(pixels.scaled(*self._pixels(cells)), colours))

    def _sent(self, file: bytes, cells: Cells) -> str:
        return kitty.of_file(file, cells, 0) if self.kind == KITTY else iterm2.encoded(file, cells)

    def _pixels(self, cells: Cells) -> tuple[int, int]:
        """Of a box; whole bands of sixels, of which none may reach below it."""
        width, height = self.cell
        return cells.columns * width, max(6, cells.rows * height // 6 * 6)


def _blank(cells: Cells) -> list[str]:
    return [" " * cells.columns] * cells.rows


def laid_over(over: str, up: int, right: int = 0) -> str:
    """Draw so many rows above the cursor, which then is where it was."""
    return "\x1b7\r" + (f"\x1b[{up}A" if up else "") + (f"\x1b[{right}C" if right else "") + over + "\x1b8"
