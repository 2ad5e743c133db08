"""The kernels of norms.cu made ready beside the worker's other work, and compared with torch's own before their first use."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional

from .calls import same_bits
from .functions import Functions
from .norms import TYPES, Norms, source
from .nvrtc import Kernels, compiled

_SHAPES = ((2, 64, 16, 20), (1, 64, 72, 66), (1, 32, 152, 152))
"""Rows of 640, 9,504 and 23,104 elements: less and more than the kernels take at once, and something left over."""


class Proof:
    """Compiles at once, in a thread that gives way to all others; the comparison is the first capture's."""

    def __init__(self, device: torch.device) -> None:
        self._device = torch.empty(0, device=device).device
        self._binary: bytes | Exception = b""
        self._norms: Norms | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._compile, name="comfyd-norms", daemon=True)
        self._thread.start()

    def functions(self) -> contextlib.AbstractContextManager[Any]:
        """Within it torch's functions are answered by the kernels; where these are not to be had, by torch."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._prove()
        return Functions(self._norms, self._device) if self._norms else contextlib.nullcontext()

    def _compile(self) -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
            major, minor = torch.cuda.get_device_capability(self._device)
            self._binary = compiled(source(), f"sm_{major}{minor}")
        except Exception as error:
            self._binary = error

    def _prove(self) -> None:
        try:
            if isinstance(self._binary, Exception):
                raise self._binary
            kernels = Kernels(self._binary)
            both = (Norms(kernels, self._device, rounded) for rounded in (True, False))
            self._norms = next((norms for norms in both if equals_torch(norms, self._device)), None)
            reason = "" if self._norms else "its bits differ from torch's"
        except Exception as error:
            reason = str(error) or type(error).__name__
        if reason:
            logging.info("comfyd: GroupNorm in graphs stays torch's own: %s", reason)


@torch.inference_mode()  # type: ignore[untyped-decorator]
def equals_torch(norms: Norms, device: torch.device) -> bool:
    """Whether the kernels give torch's bits on ordinary data and on what is hard on the arithmetic."""
    return all(_equal(norms, data.to(dtype)) for data in _data(device) for dtype in TYPES)


def _equal(norms: Norms, x: torch.Tensor) -> bool:
    weight, bias = x[0, :, 0, 0].contiguous(), x[0, :, 0, 1].contiguous()
    normed, activated, added = torch.empty_like(x), torch.empty_like(x), x.clone()
    norms.normalise(x, norms.moments(x, 32), (32, weight, bias, 1e-6), normed, activated)
    norms.add(added, bias)
    right = functional.group_norm(x, 32, weight, bias, 1e-6)
    return same_bits([normed, activated, added], [right, functional.silu(right), x + bias.view(1, -1, 1, 1)])


def _data(device: torch.device) -> Iterator[torch.Tensor]:
    """Made in RAM: the GPU would have to load a kernel for every kind of operation."""
    generator = torch.Generator().manual_seed(0)
    for shape in _SHAPES:
        normal = torch.randn(shape, generator=generator)
        kinds = (normal, normal * 3 - 100, torch.full_like(normal, 1.7), normal * 1e-24, normal * 1e33)
        for data in (*kinds, torch.where(normal > 0, normal, normal * 1e-21)):
            yield data.to(device)
