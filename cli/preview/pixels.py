"""Pictures as bytes: read from a file and made smaller by Pillow, which is imported when there is something to draw."""

import base64
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

if TYPE_CHECKING:
    from PIL.Image import Image

_LARGEST = 100_000_000
"""Pixels of a file that is still read: a picture of more would be worth waiting for to nobody."""
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")


class Pixels(Struct, frozen=True):
    """Rows from the top, three bytes for a pixel."""

    width: int
    height: int
    data: bytes

    @classmethod
    def of(cls, image: "Image") -> Self:
        return cls(image.width, image.height, image.tobytes())

    def image(self) -> "Image":
        """For Pillow."""
        from PIL import Image

        return Image.frombytes("RGB", (self.width, self.height), self.data)

    def scaled(self, width: int, height: int) -> "Pixels":
        """The same at another size."""
        from PIL.Image import Resampling

        if (width, height) == (self.width, self.height):
            return self
        smaller = width < self.width
        return Pixels.of(self.image().resize((width, height), Resampling.BOX if smaller else Resampling.BICUBIC))


def is_picture(file: Path) -> bool:
    """Whether the name is that of a picture; videos and sound are none."""
    return file.suffix.lower() in _PICTURES


def read(file: Path, width: int, height: int) -> Pixels | None:
    """The picture, no larger than this; None for what is none, is damaged or is huge."""
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings(), Image.open(file) as image:
            warnings.simplefilter("ignore")
            if image.width * image.height > _LARGEST:
                return None
            image.draft("RGB", (width, height))
            image.thumbnail((width, height), Image.Resampling.BOX, reducing_gap=2.0)
            return Pixels.of(_opaque(image))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _opaque(image: "Image") -> "Image":
    """What is transparent lets a middling grey through, on which anything can be seen."""
    from PIL import Image

    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    behind = Image.new("RGBA", image.size, (128, 128, 128, 255))
    return Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB")


def png(pixels: Pixels) -> bytes:
    """As a file, made in a millisecond or two: compression is of little use here."""
    line = pixels.width * 3
    rows = b"".join(b"\0" + pixels.data[at : at + line] for at in range(0, len(pixels.data), line))
    head = struct.pack(">IIBBBBB", pixels.width, pixels.height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text(data: bytes) -> str:
    """Bytes as terminals take them."""
    return base64.b64encode(data).decode()
