"""Eight-bit pixels of image tensors, by the arithmetic of ComfyUI's own save nodes, wherever the tensor lies."""

import functools
from collections.abc import Callable
from typing import Any

import numpy
import torch

from .filters import Bytes

_FLOATS = (torch.float16, torch.float32, torch.float64)
_CHANNELS = (2, 3, 4)


def convertible(images: Any) -> bool:
    """Whether this is a batch that ComfyUI's save nodes can write; what is not is left to them to refuse."""
    return (
        isinstance(images, torch.Tensor)
        and images.dim() == 4
        and all(images.shape)
        and images.shape[3] in _CHANNELS
        and images.dtype in _FLOATS
        and images.device.type in ("cpu", "cuda")
    )


def eight_bit(image: torch.Tensor) -> Callable[[], Bytes]:
    """Takes the pixels of one (height, width, channels) image as they are now; what is returned waits for them, in any thread.

    ``clip(255 * x, 0, 255)`` in the tensor's own type, then truncated (nodes.py: ``SaveImage.save_images``); NaN becomes 0.
    """
    return _on_cpu(image) if image.device.type == "cpu" else _from_device(image)


def _on_cpu(image: torch.Tensor) -> Callable[[], Bytes]:
    """In numpy, because torch would wake its team of threads for it, on cores where another job may be sampling."""
    scaled = 255.0 * image.numpy()
    numpy.clip(scaled, 0, 255, out=scaled)
    with numpy.errstate(invalid="ignore"):
        return functools.partial(_in_rows, scaled.astype(numpy.uint8))


def _in_rows(pixels: Bytes) -> Bytes:
    """The pixels one after the other; a decoder's channels lie apart, and channel by channel they are put together fastest."""
    if pixels.flags.c_contiguous:
        return pixels
    rows = numpy.empty(pixels.shape, numpy.uint8)
    for channel in range(pixels.shape[2]):
        rows[..., channel] = pixels[..., channel]
    return rows


def _from_device(image: torch.Tensor) -> Callable[[], Bytes]:
    """Converts on the device and begins the copy; a quarter of the bytes travel, and nothing waits for them here."""
    scaled = (255.0 * image).nan_to_num_(nan=0.0).clamp_(0, 255).to(torch.uint8).contiguous()
    host = torch.empty(scaled.shape, dtype=torch.uint8, pin_memory=True)
    host.copy_(scaled, non_blocking=True)
    arrived = torch.cuda.Event()
    arrived.record(torch.cuda.current_stream(scaled.device))

    def wait() -> Bytes:
        arrived.synchronize()
        return host.numpy()

    return wait
