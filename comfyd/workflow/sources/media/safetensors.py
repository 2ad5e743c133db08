"""safetensors, which .latent files are too: the metadata in the header."""

from collections.abc import Iterator

import msgspec

from .kinds import LARGEST_HEADER
from .window import Damaged, Window


class _Header(msgspec.Struct):
    metadata: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """Everything in the metadata."""
    size = int.from_bytes(window.read(0, 8), "little")
    if size > LARGEST_HEADER:
        raise Damaged("its header is larger than the format allows")
    try:
        header = msgspec.json.decode(window.read(8, size), type=_Header)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Damaged("its header is not what the format asks for") from error
    yield from header.metadata.items()
