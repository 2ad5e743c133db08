"""The pictures a job has made, in a row below what is said of them."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..terminal import Terminal
from .pixels import is_picture
from .room import LEAST, Cells
from .screen import Drawn, Screen, laid_over

_BETWEEN = 2


def show(terminal: Terminal, files: Sequence[str]) -> None:
    """Draw them on stderr where pictures are wanted; what cannot be drawn is left out, because the files are there."""
    try:
        pictures = {path: size for path in map(Path, files) if is_picture(path) and (size := _size(path))}
        screen = Screen.of(terminal) if pictures else None
        row = list(_fitting(screen, pictures)) if screen else []
    except (OSError, ImportError):  # a file that is gone by now, a Python without Pillow
        return
    if row:
        terminal.stderr.write(printed(row))
        terminal.stderr.flush()


def _fitting(screen: Screen, pictures: Mapping[Path, tuple[int, int]]) -> Iterator[Drawn]:
    """Side by side, lower where all would not fit, and those that do not even then left out."""
    within = screen.room(live=False)
    if not within.rows:
        return
    boxes = {}
    for rows in range(within.rows, LEAST - 1, -1):
        boxes = {path: screen.box(*size, Cells(within.columns, rows)) for path, size in pictures.items()}
        if sum(box.columns + _BETWEEN for box in boxes.values()) - _BETWEEN <= within.columns:
            break
    left = within.columns
    for path, box in boxes.items():
        if box.columns > left:
            return
        if drawn := screen.file(path, box):
            left -= box.columns + _BETWEEN
            yield drawn


def _size(picture: Path) -> tuple[int, int] | None:
    """Width and height; those of a PNG stand at a fixed place, so that nothing needs to be imported."""
    try:
        with picture.open("rb") as stream:
            head = stream.read(24)
    except OSError:
        return None
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) == 24:
        width, height = struct.unpack(">II", head[16:])
        return (width, height) if width and height else None
    from PIL import Image

    try:
        with Image.open(picture) as image:
            return image.width, image.height
    except (OSError, Image.DecompressionBombError):
        return None


def printed(row: Sequence[Drawn]) -> str:
    """All of them, the cursor on the line below in the end."""
    rows = max(drawn.cells.rows for drawn in row)
    lines = [(" " * _BETWEEN).join(_line(drawn, number) for drawn in row) for number in range(rows)]
    parts, right = ["".join(f"{line}\n" for line in lines)], 0
    for drawn in row:
        if drawn.over:
            parts.append(laid_over(drawn.over, rows, right))
        right += drawn.cells.columns + _BETWEEN
    return "".join(parts)


def _line(drawn: Drawn, number: int) -> str:
    return drawn.lines[number] if number < len(drawn.lines) else " " * drawn.cells.columns
