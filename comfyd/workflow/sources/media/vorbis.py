"""Vorbis comments, which FLAC and Ogg carry: lines of KEY=text."""

from collections.abc import Iterator

from .window import Damaged, decoded


def comments(data: bytes) -> Iterator[tuple[str, str]]:
    """The comments of a block, from its vendor line on."""
    at = 4 + _number(data, 0)
    count = _number(data, at)
    at += 4
    for _ in range(count):
        size = _number(data, at)
        line = data[at + 4 : at + 4 + size]
        if len(line) < size:
            raise Damaged("its comments end too early")
        key, _, text = line.partition(b"=")
        yield decoded(key), decoded(text)
        at += 4 + size


def _number(data: bytes, at: int) -> int:
    raw = data[at : at + 4]
    if len(raw) < 4:
        raise Damaged("its comments end too early")
    return int.from_bytes(raw, "little")
