"""Kitty's graphics protocol: the terminal takes a PNG file, or pixels, and scales it to cells."""

from .pixels import Pixels, text
from .room import Cells

_CHUNK = 4096


def of_file(png: bytes, cells: Cells, number: int) -> str:
    """A PNG file as it is."""
    return _sent(text(png), f"f=100,{_placed(cells, number)}")


def of_pixels(pixels: Pixels, cells: Cells, number: int) -> str:
    """Pixels as they are."""
    return _sent(text(pixels.data), f"f=24,s={pixels.width},v={pixels.height},{_placed(cells, number)}")


def removed(number: int) -> str:
    """Take a picture off the screen and out of the terminal's memory."""
    return f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


def _placed(cells: Cells, number: int) -> str:
    """Shown at once at the cursor, which stays where it is; one of the same number goes; no answer is wanted."""
    name = f"i={number},p=1," if number else ""
    return f"a=T,{name}c={cells.columns},r={cells.rows},C=1,q=2"


def _sent(payload: str, control: str) -> str:
    parts = [payload[at : at + _CHUNK] for at in range(0, len(payload), _CHUNK)] or [""]
    last = len(parts) - 1
    heads = [f"{control},m={int(last > 0)}", *(f"m={int(at < last)},q=2" for at in range(1, len(parts)))]
    return "".join(f"\x1b_G{head};{part}\x1b\\" for head, part in zip(heads, parts, strict=True))
