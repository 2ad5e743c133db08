"""EXIF, which is a TIFF of tags: every text tag of the picture, and its user comment."""

from collections.abc import Iterator
from struct import unpack

from .window import Damaged, Window, decoded

_ASCII, _UNDEFINED, _BYTES = 2, 7, 1
_PICTURE_TAGS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software", 0x013B: "Artist"}
_EXIF_TAGS, _USER_COMMENT, _XP_COMMENT = 0x8769, 0x9286, 0x9C9C


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts by their tags' names; ``Exif\\0\\0`` before the TIFF, which some writers leave in, is passed over."""
    if window.upto(0, 6) == b"Exif\0\0":
        window = window.part(6, window.size - 6)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(window.upto(0, 4))
    if order is None:
        raise Damaged("its EXIF data is no TIFF")
    (first,) = unpack(order + "I", window.read(4, 4))
    for tag, kind, value in _directory(window, first, order):
        if tag == _EXIF_TAGS and value.size == 4:
            (offset,) = unpack(order + "I", value.all())
            yield from _comments(window, offset, order)
        elif kind == _ASCII:
            yield _PICTURE_TAGS.get(tag, f"{tag:04x}"), decoded(value.all())
        elif tag == _XP_COMMENT and kind == _BYTES:
            yield "XPComment", value.all().decode("utf-16-le", "replace")


def _comments(window: Window, offset: int, order: str) -> Iterator[tuple[str, str]]:
    for tag, kind, value in _directory(window, offset, order):
        if tag == _USER_COMMENT and kind in (_UNDEFINED, _ASCII, _BYTES):
            yield "UserComment", _comment(value.all(), order)


def _directory(window: Window, offset: int, order: str) -> Iterator[tuple[int, int, Window]]:
    """The tags of a directory with type and value."""
    (count,) = unpack(order + "H", window.read(offset, 2))
    entries = window.read(offset + 2, 12 * count)
    for start in range(0, len(entries), 12):
        tag, kind, number = unpack(order + "HHI", entries[start : start + 8])
        size = number * {3: 2, 4: 4, 5: 8, 9: 4, 10: 8}.get(kind, 1)
        (elsewhere,) = unpack(order + "I", entries[start + 8 : start + 12])
        place = offset + 2 + start + 8 if size <= 4 else elsewhere
        if place + size <= window.size:  # cameras and editors leave tags whose values are gone
            yield tag, kind, window.part(place, size)


def _comment(raw: bytes, order: str) -> str:
    """A user comment: eight bytes name its character set, which not every writer sets, then the text."""
    charset, text = raw[:8], raw[8:]
    if charset == b"UNICODE\0":
        return text.decode(_utf16(text, order), "replace")
    return decoded(text if charset in (b"ASCII\0\0\0", bytes(8)) else raw)


def _utf16(text: bytes, order: str) -> str:
    """By where the zero bytes of its first letters are: writers and the file's byte order do not agree on it."""
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    low, high = text[0:64:2].count(0), text[1:64:2].count(0)
    little = high > low or (high == low and order == "<")
    return "utf-16-le" if little else "utf-16-be"
