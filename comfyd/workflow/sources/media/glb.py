"""glTF binary: the extras of its asset."""

from collections.abc import Iterator
from typing import Any

import msgspec

from .window import Damaged, Window


class _Asset(msgspec.Struct):
    extras: Any = None


class _Scene(msgspec.Struct):
    asset: _Asset = msgspec.field(default_factory=_Asset)


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The texts in the extras."""
    head = window.read(12, 8)
    size = int.from_bytes(head[:4], "little")
    if head[4:] != b"JSON":
        raise Damaged("its first chunk is not JSON")
    try:
        extras = msgspec.json.decode(window.read(20, size), type=_Scene).asset.extras
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Damaged("its first chunk is not JSON of a scene") from error
    for key, text in extras.items() if isinstance(extras, dict) else ():
        if isinstance(text, str):
            yield key, text
