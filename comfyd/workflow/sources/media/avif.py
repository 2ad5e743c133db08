"""AVIF and HEIF: the items of type Exif."""

from collections.abc import Iterator

from . import exif
from .isobmff import boxes, children
from .window import Damaged, Window


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts of the EXIF items."""
    for kind, meta in boxes(window):
        if kind == b"meta":
            inside = dict(boxes(children(meta)))
            wanted = set(_exif_items(inside[b"iinf"])) if b"iinf" in inside else set()
            if wanted and b"iloc" in inside:
                for item in _items(inside[b"iloc"], window, inside.get(b"idat")):
                    if item[0] in wanted:
                        yield from _exif(item[1])
            return


def _exif(item: Window) -> Iterator[tuple[str, str]]:
    """Before the TIFF stands how far it is."""
    before = 4 + int.from_bytes(item.read(0, 4), "big")
    return exif.texts(item.part(before, item.size - before))


def _exif_items(iinf: Window) -> Iterator[int]:
    """Numbers of the items that are EXIF."""
    first = 6 if iinf.read(0, 1) == b"\0" else 8
    for kind, entry in boxes(iinf.part(first, iinf.size - first)):
        if kind == b"infe":
            wide = 4 if entry.read(0, 1)[0] >= 3 else 2
            if entry.upto(6 + wide, 4) == b"Exif":
                yield int.from_bytes(entry.read(4, wide), "big")


def _items(iloc: Window, file: Window, idat: Window | None) -> Iterator[tuple[int, Window]]:
    """Number and content of each item that lies in one piece."""
    cursor = _Cursor(iloc)
    version = cursor.number(1)
    cursor.number(3)
    sizes = cursor.number(2)
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    wide = 4 if version >= 2 else 2
    for _ in range(cursor.number(wide)):
        item = cursor.number(wide)
        method = cursor.number(2) & 15 if version else 0
        cursor.number(2)
        base = cursor.number(base_size)
        extents = []
        for _ in range(cursor.number(2)):
            cursor.number(index_size if version else 0)
            extents.append((base + cursor.number(offset_size), cursor.number(length_size)))
        source = {0: file, 1: idat}.get(method)
        if len(extents) == 1 and source is not None:
            offset, length = extents[0]
            yield item, source.part(offset, length or source.size - offset)


class _Cursor:
    """Big-endian numbers one after the other."""

    def __init__(self, window: Window) -> None:
        self._data, self._at = window.all(), 0

    def number(self, size: int) -> int:
        if self._at + size > len(self._data):
            raise Damaged("its table of items ends too early")
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big")
