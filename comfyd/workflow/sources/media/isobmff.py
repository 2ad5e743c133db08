"""MP4 and MOV: metadata of the movie as FFmpeg writes it (keys and ilst), as iTunes does (ilst) and as QuickTime did (udta)."""

from collections.abc import Iterator
from struct import unpack

from .window import Damaged, Window, decoded

_INNER = {b"moov": 2, b"udta": 1}
"""Boxes that hold metadata boxes; a movie holds user data, which holds no movie."""
_COMMENT = b"\xa9cmt"


def boxes(window: Window) -> Iterator[tuple[bytes, Window]]:
    """The boxes side by side in a window: type and content."""
    offset = 0
    while offset + 8 <= window.size:
        size, kind = unpack(">I4s", window.read(offset, 8))
        header = 8
        if size == 1:
            size, header = int.from_bytes(window.read(offset + 8, 8), "big"), 16
        elif size == 0:
            size = window.size - offset
        if size < header:
            raise Damaged("its boxes do not fit together")
        yield kind, window.part(offset + header, size - header)
        offset += size


def texts(window: Window, level: int = 3) -> Iterator[tuple[str, str]]:
    """The texts in the file's order."""
    for kind, body in boxes(window):
        if _INNER.get(kind, level) < level:
            yield from texts(body, _INNER[kind])
        elif kind == b"meta":
            yield from _meta(children(body))
        elif level == 1 and kind[:1] == b"\xa9" and body.size > 4:
            yield _name(kind), decoded(body.part(4, body.size - 4).all())


def children(meta: Window) -> Window:
    """What a meta box holds; before it stand version and flags, except in QuickTime."""
    return meta if meta.upto(4, 4) == b"hdlr" else meta.part(4, meta.size - 4)


def _meta(window: Window) -> Iterator[tuple[str, str]]:
    keys: list[str] = []
    for kind, body in boxes(window):
        if kind == b"keys":
            keys = [_text(name) for name in _keys(body)]
        elif kind == b"ilst":
            for item, content in boxes(body):
                yield from _item(item, content, keys)


def _keys(body: Window) -> Iterator[Window]:
    """Names are boxes too, of a namespace as type."""
    return (name for _, name in boxes(body.part(8, body.size - 8)))


def _item(kind: bytes, content: Window, keys: list[str]) -> Iterator[tuple[str, str]]:
    index = int.from_bytes(kind, "big")
    name = keys[index - 1] if 0 < index <= len(keys) else _name(kind)
    for inner, body in boxes(content):
        if inner == b"name" and body.size >= 4:
            name = _text(body.part(4, body.size - 4))
        elif inner == b"data" and body.size >= 8:
            (encoding,) = unpack(">I", body.read(0, 4))
            raw = body.part(8, body.size - 8).all()
            yield name, raw.decode("utf-16-be", "replace") if encoding == 2 else decoded(raw)


def _name(kind: bytes) -> str:
    return "comment" if kind == _COMMENT else kind.decode("latin-1")


def _text(body: Window) -> str:
    return decoded(body.upto(0, 256))
