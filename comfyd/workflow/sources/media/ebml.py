"""WebM and Matroska: the tags of the file."""

from collections.abc import Iterator

from .window import Damaged, Window, decoded

_SEGMENT, _TAGS, _TAG, _SIMPLE_TAG = 0x18538067, 0x1254C367, 0x7373, 0x67C8
_NAME, _STRING = 0x45A3, 0x4487
_HOLDS = {_SEGMENT: _TAGS, _TAGS: _TAG, _TAG: _SIMPLE_TAG}


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts in the file's order."""
    return _inside(window, _SEGMENT)


def _inside(window: Window, wanted: int) -> Iterator[tuple[str, str]]:
    for id_, body in _elements(window):
        if id_ == _TAGS and wanted == _SEGMENT:  # in a segment of unknown size, whose elements follow it
            yield from _inside(body, _TAG)
        elif id_ == wanted == _SIMPLE_TAG:
            yield from _simple(body)
        elif id_ == wanted:
            yield from _inside(body, _HOLDS[id_])


def _simple(window: Window) -> Iterator[tuple[str, str]]:
    found = {id_: decoded(body.all()).rstrip("\0") for id_, body in _elements(window) if id_ in (_NAME, _STRING)}
    if _NAME in found and _STRING in found:
        yield found[_NAME], found[_STRING]


def _elements(window: Window) -> Iterator[tuple[int, Window]]:
    """The elements side by side; one of unknown size, as in a live stream, is passed over and what it holds follows."""
    offset = 0
    while offset < window.size:
        head = window.upto(offset, 12)
        id_size = _width(head, 0)
        size_size = _width(head, id_size)
        header = id_size + size_size
        id_ = int.from_bytes(head[:id_size], "big")
        size = int.from_bytes(head[id_size:header], "big") & (1 << 7 * size_size) - 1
        offset += header
        if size != (1 << 7 * size_size) - 1:
            yield id_, window.part(offset, size)
            offset += size


def _width(head: bytes, at: int) -> int:
    """How many bytes a number takes, by its first one."""
    width = 9 - head[at].bit_length() if at < len(head) else 9
    if width > 8 or at + width > len(head):
        raise Damaged("its elements do not fit together")
    return width
