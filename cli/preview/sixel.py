"""Sixel: bands of six rows of pixels, each colour of a band after the other."""

import re

from .pixels import Pixels

_BAND, _ZERO = 6, 63
_RUN = re.compile(r"(.)\1{3,}")


def encoded(pixels: Pixels, colours: int = 256) -> str:
    """The picture at its own size, in as many colours."""
    from PIL.Image import Dither, Quantize

    image = pixels.image().quantize(colours, Quantize.FASTOCTREE, dither=Dither.NONE)
    palette, data = image.getpalette() or [], image.tobytes()
    registers = [_register(number, palette[3 * number : 3 * number + 3]) for number in sorted(set(data))]
    bands = range(0, pixels.height, _BAND)
    body = "-".join(_band(data[at * pixels.width : (at + _BAND) * pixels.width], pixels.width) for at in bands)
    return f'\x1bP0;1;0q"1;1;{pixels.width};{pixels.height}{"".join(registers)}{body}\x1b\\'


def _register(number: int, colour: list[int]) -> str:
    """A colour, in hundredths."""
    return f"#{number};2;" + ";".join(str(round(part * 100 / 255)) for part in colour)


def _band(data: bytes, width: int) -> str:
    rows = [data[at : at + width] for at in range(0, len(data), width)]
    return "$".join(f"#{colour}{_layer(rows, colour, width)}" for colour in sorted(set(data)))


def _layer(rows: list[bytes], colour: int, width: int) -> str:
    """Where a band has this colour: a character for each column, a bit of it for each row."""
    sixels = 0
    for bit, row in enumerate(rows):
        # A number whose bytes are the columns, so that all columns of a row are done at once.
        sixels |= int.from_bytes(row.translate(_only(colour)), "little") << bit
    layer = sixels.to_bytes(width, "little").translate(_CHARACTERS).decode()
    return _RUN.sub(lambda run: f"!{len(run[0])}{run[1]}", layer.rstrip(chr(_ZERO)))


_CHARACTERS = bytes(min(_ZERO + value, 126) for value in range(256))


def _only(colour: int) -> bytes:
    """A table that turns this colour into 1 and all others into 0."""
    return bytes(colour) + b"\1" + bytes(255 - colour)
