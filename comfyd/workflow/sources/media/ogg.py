"""Ogg with Opus, Vorbis, Theora or FLAC in it: the comments in the second packet of each stream."""

from collections.abc import Iterator

from .vorbis import comments
from .window import Damaged, Window

_MAGIC = {b"OpusTags": 8, b"\3vorbis": 7, b"\x81theora": 7, b"\4": 4, b"\x84": 4}
"""How a packet of comments begins, and where the comments do; the last two are FLAC's block header."""


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The comments of every stream."""
    for packet in _second_packets(window):
        skipped = next((size for magic, size in _MAGIC.items() if packet.startswith(magic)), None)
        if skipped is not None:
            yield from comments(packet[skipped:])


def _second_packets(window: Window) -> Iterator[bytes]:
    """A packet goes on over pages, between which pages of other streams may stand."""
    parts: dict[bytes, list[bytes]] = {}
    complete: dict[bytes, int] = {}
    for serial, segments in _pages(window):
        parts.setdefault(serial, [])
        for segment in segments:
            if complete.get(serial, 0) == 1:
                parts[serial].append(segment)
            if len(segment) < 255:
                complete[serial] = complete.get(serial, 0) + 1
                if complete[serial] == 2:
                    yield b"".join(parts[serial])
        if all(complete.get(known, 0) >= 2 for known in parts):
            return


def _pages(window: Window) -> Iterator[tuple[bytes, list[bytes]]]:
    """Stream and segments of each page."""
    offset = 0
    while offset < window.size:
        head = window.read(offset, 27)
        if head[:4] != b"OggS":
            raise Damaged("its pages do not fit together")
        lengths = window.read(offset + 27, head[26])
        offset += 27 + len(lengths)
        body = window.read(offset, sum(lengths))
        offset += len(body)
        yield head[14:18], _cut(body, lengths)


def _cut(body: bytes, lengths: bytes) -> list[bytes]:
    segments, at = [], 0
    for length in lengths:
        segments.append(body[at : at + length])
        at += length
    return segments
