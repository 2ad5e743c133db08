"""The contact sheet as a PNG: the pictures of a sweep in rows and columns, labelled. Imports Pillow when it draws."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfyd.whole import publish

from .grids import Grid
from .points import Point

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_LARGEST, _SMALLEST, _SIDE = 512, 48, 10_000
"""Pixels of a cell, and of the whole sheet."""
_GAP = 8
_PAPER, _INK, _FAINT = "white", "#202020", "#e8e8e8"
_LINES = 4
"""Of a label, as many as fit; the rest is cut."""


def draw(grids: Sequence[Grid], pictures: Mapping[str, Path], target: Path) -> None:
    """Draw the pictures by their points' keys; what has none stays blank. Raises OSError."""
    from PIL import Image, ImageDraw

    sheet = _Sheet(grids, _cell(grids, list(pictures.values())))
    image = Image.new("RGB", sheet.size, _PAPER)
    sheet.draw(image, ImageDraw.Draw(image), pictures)
    publish(target, lambda stream: image.save(stream, "PNG"))


def _cell(grids: Sequence[Grid], pictures: Sequence[Path]) -> tuple[int, int]:
    """The cells' size: that of the largest picture, as far as the sheet stays small enough to open."""
    from PIL import Image

    width = height = 1
    for file in pictures[:64]:
        try:
            with Image.open(file) as picture:
                width, height = max(width, picture.width), max(height, picture.height)
        except OSError:
            continue
    across = max(len(row) for grid in grids for row in grid.cells) + 1
    down = sum(len(grid.cells) + 1 for grid in grids)
    room = min(_LARGEST, max(_SMALLEST, _SIDE // across), max(_SMALLEST, _SIDE // down))
    scale = min(room / max(width, height), max(1.0, 160 / max(width, height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


class _Sheet:
    """Measures once, then draws: blocks below each other, labels as wide and high as they need."""

    def __init__(self, grids: Sequence[Grid], cell: tuple[int, int]) -> None:
        self._grids, self._cell = grids, cell
        self._font = _font(max(13, min(28, cell[0] // 16)))
        self._line = round(_height(self._font) * 1.25)
        labels = [label for grid in grids for label in grid.rows]
        widest = min(max((_width(self._font, label) for label in labels), default=0), max(cell[0], 160))
        self._side = widest + 2 * _GAP if labels else _GAP
        self.size = (
            self._side + max(len(row) for grid in grids for row in grid.cells) * (cell[0] + _GAP),
            _GAP + sum(self._block_height(grid) for grid in grids),
        )

    def _block_height(self, grid: Grid) -> int:
        return self._head(grid) + len(grid.cells) * self._row_height(grid)

    def _head(self, grid: Grid) -> int:
        lines = max((len(self._wrapped(label, self._cell[0])) for label in grid.columns), default=0)
        return (2 * self._line if grid.title else 0) + (lines * self._line + _GAP if lines else 0)

    def _row_height(self, grid: Grid) -> int:
        lines = self._caption_lines(grid)
        return self._cell[1] + _GAP + (lines * self._line + _GAP if lines else 0)

    def _caption_lines(self, grid: Grid) -> int:
        if not grid.captioned:
            return 0
        return max(len(self._wrapped(point.label, self._cell[0])) for row in grid.cells for point in row if point is not None)

    def draw(self, image: "Image", pen: "ImageDraw", pictures: Mapping[str, Path]) -> None:
        """Everything onto the image."""
        top = _GAP
        for grid in self._grids:
            self._draw_grid(image, pen, grid, top, pictures)
            top += self._block_height(grid)

    def _draw_grid(self, image: "Image", pen: "ImageDraw", grid: Grid, top: int, pictures: Mapping[str, Path]) -> None:
        if grid.title:
            (title, *_) = self._wrapped(grid.title, self.size[0] - 2 * _GAP)
            pen.text((_GAP, top + self._line // 2), title, _INK, self._font)
        head = top + self._head(grid)
        for at, label in enumerate(grid.columns):
            lines = self._wrapped(label, self._cell[0])
            self._text(pen, self._left(at), head - _GAP - len(lines) * self._line, lines)
        for down, row in enumerate(grid.cells):
            y = head + down * self._row_height(grid)
            if grid.rows:
                lines = self._wrapped(grid.rows[down], self._side - 2 * _GAP)
                self._text(pen, _GAP, y + max(0, (self._cell[1] - len(lines) * self._line) // 2), lines)
            for across, point in enumerate(row):
                if point is not None:
                    self._draw_point(image, pen, grid, point, (self._left(across), y), pictures.get(point.key))

    def _draw_point(
        self, image: "Image", pen: "ImageDraw", grid: Grid, point: Point, at: tuple[int, int], file: Path | None
    ) -> None:
        x, y = at
        frame = (x - 1, y - 1, x + self._cell[0], y + self._cell[1])
        pen.rectangle(frame, outline=_FAINT)  # or a white picture would have no edge
        if file is None or not self._paste(image, file, x, y):
            pen.rectangle(frame, fill=_FAINT)
        if grid.captioned:
            self._text(pen, x, y + self._cell[1] + _GAP // 2, self._wrapped(point.label, self._cell[0]))

    def _paste(self, image: "Image", file: Path, x: int, y: int) -> bool:
        from PIL import Image

        try:
            with Image.open(file) as picture:
                picture.draft("RGB", self._cell)
                small = picture.convert("RGBA")
        except OSError:
            return False
        scale = min(self._cell[0] / small.width, self._cell[1] / small.height)
        size = (max(1, round(small.width * scale)), max(1, round(small.height * scale)))
        small = small.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
        offset = (x + (self._cell[0] - size[0]) // 2, y + (self._cell[1] - size[1]) // 2)
        image.paste(small, offset, small)
        return True

    def _left(self, column: int) -> int:
        return self._side + column * (self._cell[0] + _GAP)

    def _text(self, pen: "ImageDraw", x: int, y: int, lines: Sequence[str]) -> None:
        for number, line in enumerate(lines):
            pen.text((x, y + number * self._line), line, _INK, self._font)

    def _wrapped(self, label: str, width: int) -> list[str]:
        """Lines that fit the width, broken between words where there are any, cut after a few."""
        lines = [""]
        for word in label.split():
            longer = f"{lines[-1]} {word}".strip()
            if _width(self._font, longer) <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], f"{lines[_LINES - 1]} …"]
        return [_cut(self._font, line, width) for line in lines]


def _font(size: int) -> Any:
    """Pillow's own, which is always there; without FreeType it has one size."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _width(font: Any, text: str) -> int:
    width: float = font.getlength(text)
    return round(width)


def _height(font: Any) -> int:
    return int(font.getbbox("Ag")[3])


def _cut(font: Any, line: str, width: int) -> str:
    if _width(font, line) <= width:
        return line
    while line and _width(font, f"{line}…") > width:
        line = line[:-1]
    return f"{line}…"
