"""Puts the demo model's checkpoint in place: a file that ComfyUI's own CheckpointLoaderSimple reads as SD3."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import container, layout, text_encoder
from .text_encoder import Half, Part

NAME = "comfyd-demo.safetensors"
WEIGHTS = Path(__file__).with_name("weights.safetensors")
SD3_FACTORS = {
    f"{layout.AUTOENCODER}vae_scale": np.array(1.5305, np.float16),
    f"{layout.AUTOENCODER}vae_shift": np.array(0.0609, np.float16),
}
"""What makes the autoencoder's unit-variance latents those that ComfyUI expects of SD3."""
VERSION = "1"
"""Changes with every change of the file's content."""
SHA256 = "3e0dd54308f4f15690c5125e5bc0796b04299e5982e12c13a673648ed8482faa"
"""Of the file that ``write`` makes."""


def _restored(weights: dict[str, Half], name: str, shape: layout.Shape) -> Half:
    """Half precision of the checkpoint's shape; columns that carry nothing are not shipped, and zero."""
    values = weights[name]
    if f"{name}.scale" in weights:
        scale = weights[f"{name}.scale"].reshape(-1, *[1] * (values.ndim - 1))
        values = (values.astype(np.float32) * scale).astype(np.float16)
    if values.shape == shape:
        return values
    padded: Half = np.zeros(shape, np.float16)
    padded[:, : values.shape[1]] = values
    return padded


def _trained(weights: dict[str, Half]) -> Iterator[Part]:
    for prefix, tensors in ((layout.TRANSFORMER, layout.transformer()), (layout.AUTOENCODER, layout.autoencoder())):
        for name, shape in tensors:
            yield prefix + name, shape, _restored(weights, prefix + name, shape)


def parts() -> Iterator[Part]:
    """Every tensor of the checkpoint in the order of the file."""
    yield from text_encoder.parts()
    yield from _trained(container.read(WEIGHTS) | SD3_FACTORS)


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
