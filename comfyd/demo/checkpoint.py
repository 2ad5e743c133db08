"""Puts the demo model's checkpoint in place: a file that ComfyUI's own CheckpointLoaderSimple reads as SD3."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import container, layout, text_encoder
from .text_encoder import Half, Part, random_bytes

NAME = "comfyd-demo.safetensors"
VERSION = "0"
"""Changes with every change of the file's content."""
SHA256 = "758f3f1a0364b8efdbfb812d433ac1a12fbd3df6a3188499cb7ce2a2aed9bd72"
"""Of the file that ``write`` makes."""


def _random(name: str, shape: layout.Shape) -> Half:
    if name.endswith(".bias") or name == "vae_shift":
        return np.zeros(shape, np.float16)
    if len(shape) < 2:
        return np.ones(shape, np.float16)
    scale = np.ldexp(1.0, -int(np.log2(128 * np.sqrt(np.prod(shape[1:])))))
    return (random_bytes(name, *shape) * scale).astype(np.float16)


def parts() -> Iterator[Part]:
    """Every tensor of the checkpoint in the order of the file."""
    yield from text_encoder.parts()
    for prefix, tensors in ((layout.TRANSFORMER, layout.transformer()), (layout.AUTOENCODER, layout.autoencoder())):
        for name, shape in tensors:
            yield prefix + name, shape, _random(name, shape)


def write(path: Path) -> None:
    """Writes the checkpoint (270 MB, half of it holes), atomically; DiskFull when there is no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    container.write(path, list(parts()), {"format": "pt", "comfyd_demo": VERSION})


def is_current(path: Path) -> bool:
    """Whether this version's complete file lies there; reads its header alone."""
    try:
        header, start = container.read_header(path)
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return bool(header["__metadata__"]["comfyd_demo"] == VERSION and path.stat().st_size == start + max(ends))
    except (OSError, ValueError, KeyError, TypeError):
        return False
