"""The setting ``png``: how pictures are compressed."""

from collections.abc import Callable
from functools import partial

from . import png
from .filters import Bytes

Encode = Callable[[Bytes, png.Texts | None], list[bytes]]
"""Pixels and text chunks to the parts of a file."""

_LARGE = 1 << 30  # bytes; a chunk's length has 31 bits
_SMALLEST = 9


def encoder(setting: str, level: int) -> Encode:
    """For a node that asks for Pillow's ``level``: fast, small, comfyui (that level) or a level of the user's, 0 to 9."""
    match setting:
        case "fast":
            return partial(_fast, level)
        case "small":
            return partial(png.by_pillow, level=_SMALLEST)
        case "comfyui":
            return partial(png.by_pillow, level=level)
        case _:
            return partial(png.by_pillow, level=int(setting))


def _fast(level: int, pixels: Bytes, texts: png.Texts | None) -> list[bytes]:
    return png.fast(pixels, texts) if pixels.nbytes < _LARGE else png.by_pillow(pixels, texts, level)
