"""MP3: the ID3v2 tag at its beginning, with its user-defined texts and its comments."""

from collections.abc import Iterator

from .window import Damaged, Window

_TEXTS = {b"TXXX", b"TXX"}
_COMMENTS = {b"COMM", b"COM"}
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts in the tag's order; a file without a tag has none."""
    head = window.upto(0, 10)
    if len(head) < 10 or head[:3] != b"ID3":
        return
    version, flags = head[3], head[5]
    tag = window.read(10, _syncsafe(head[6:10]))
    if flags & 0x80 and version < 4:
        tag = _resynchronised(tag)
    for kind, data in _frames(window, tag, version, extended=bool(flags & 0x40)):
        if kind in _TEXTS:
            yield _described(data[:1], data[1:])
        elif kind in _COMMENTS:
            description, text = _described(data[:1], data[4:])
            yield description or "comment", text


def _frames(window: Window, tag: bytes, version: int, *, extended: bool) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each frame; padding ends them."""
    name, header = (3, 6) if version == 2 else (4, 10)
    at = _extended_header(tag, version) if extended and version > 2 else 0
    while at + header <= len(tag) and tag[at]:
        size = (_syncsafe if version == 4 else _number)(tag[at + name : at + 2 * name])
        if at + header + size > len(tag):
            raise Damaged("the frames of its tag do not fit together")
        data = tag[at + header : at + header + size]
        yield tag[at : at + name], data if version == 2 else _content(window, data, tag[at + 9], version)
        at += header + size


def _content(window: Window, data: bytes, flags: int, version: int) -> bytes:
    """A frame's content without what its flags say was done to it."""
    if version == 4:
        data = data[4:] if flags & 0x01 else data
        data = _resynchronised(data) if flags & 0x02 else data
        return window.inflated(data) if flags & 0x08 else data
    return window.inflated(data[4:]) if flags & 0x80 else data


def _described(encoding: bytes, data: bytes) -> tuple[str, str]:
    """A description, a terminator, a text, both in this encoding."""
    name = _ENCODINGS[encoding[0]] if encoding and encoding[0] < len(_ENCODINGS) else "latin-1"
    description, _, text = data.decode(name, "replace").partition("\0")
    return description, text.removeprefix("\ufeff").rstrip("\0")


def _extended_header(tag: bytes, version: int) -> int:
    return _syncsafe(tag[:4]) if version == 4 else 4 + _number(tag[:4])


def _resynchronised(data: bytes) -> bytes:
    return data.replace(b"\xff\0", b"\xff")


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _syncsafe(raw: bytes) -> int:
    """A number of seven bits to the byte."""
    value = 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
    return value
