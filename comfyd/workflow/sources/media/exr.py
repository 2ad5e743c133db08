"""OpenEXR: the header's attributes of type string."""

from collections.abc import Iterator

from .window import Damaged, Window, decoded


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts in the header's order."""
    offset = 8
    while window.read(offset, 1) != b"\0":
        name, offset = _name(window, offset)
        kind, offset = _name(window, offset)
        size = int.from_bytes(window.read(offset, 4), "little")
        if kind == b"string":
            yield decoded(name), decoded(window.read(offset + 4, size))
        offset += 4 + size


def _name(window: Window, offset: int) -> tuple[bytes, int]:
    """A name, and the offset after the zero byte that ends it."""
    name, end, _ = window.upto(offset, 256).partition(b"\0")
    if not end:
        raise Damaged("its header does not fit together")
    return name, offset + len(name) + 1
