"""GroupNorm and the addition of a convolution's bias by kernels of our own (norms.cu), with torch's bits in a part of its time.

Torch gives each of a GroupNorm's groups one block of threads, which leaves most of a GPU idle where there are 32 groups of
millions of elements. Here the same sequences of operations, thread by thread, are spread over all of it.
"""

import math
from pathlib import Path
from typing import Any

import torch

from .nvrtc import Kernels

TYPES = {torch.float16: "float16", torch.bfloat16: "bfloat16", torch.float32: "float32"}
_THREADS = 512  # that torch gives to a group
_STEPS = 1 << 16  # of such a thread, at most
_PACK = 16  # bytes that are read or written at once
_BLOCK = 1024 * _PACK  # bytes that a block of threads normalises


def source() -> str:
    return Path(__file__).with_name("norms.cu").read_text()


class Norms:
    """The kernels on one device. ``rounded``: torch rounds a group's mean and deviation to the tensor's type."""

    def __init__(self, kernels: Kernels, device: torch.device, rounded: bool = True) -> None:
        self.rounded = rounded
        self._kernels = kernels
        exact = torch.arange(1, _STEPS + 1, dtype=torch.float64).reciprocal()
        high = exact.float()
        self._inverses = torch.stack((high, (exact - high).float()), 1).to(device)

    def moments(self, x: torch.Tensor, groups: int) -> torch.Tensor:
        """What ``normalise`` needs to know of a tensor for which ``can_norm`` holds."""
        rows = x.shape[0] * groups
        found = torch.empty(rows * _THREADS // 32, 4, dtype=torch.float32, device=x.device)
        self._kernels.launch(f"moments_{TYPES[x.dtype]}", (rows, 4), 128, x, self._inverses, found, x.numel() // rows)
        return found

    def normalise(
        self,
        x: torch.Tensor,
        found: torch.Tensor,
        affine: tuple[int, torch.Tensor, torch.Tensor, float],
        y: torch.Tensor | None,
        activated: torch.Tensor | None = None,
    ) -> None:
        """Writes the GroupNorm of ``affine`` (groups, weight, bias, eps) and SiLU of that, each where there is a place for it."""
        groups, weight, bias, eps = affine
        rows = x.shape[0] * groups
        n, plane = x.numel() // rows, math.prod(x.shape[2:])
        grid = (rows, -(-n * x.element_size() // _BLOCK))
        eps = torch.tensor(eps, dtype=torch.float32).to(x.dtype).item()
        scalars = (n, plane, groups, eps, int(self.rounded))
        self._kernels.launch(f"normalise_{TYPES[x.dtype]}", grid, 256, x, weight, bias, found, y, activated, *scalars)

    def add(self, y: torch.Tensor, bias: torch.Tensor) -> None:
        """Adds to each channel its bias, in place, where ``can_add`` holds."""
        grid = (-(-y.numel() * y.element_size() // _BLOCK), 1)
        self._kernels.launch(f"add_{TYPES[y.dtype]}", grid, 256, y, bias, y.numel(), math.prod(y.shape[2:]), y.shape[1])


def can_norm(x: torch.Tensor, groups: int, weight: Any, bias: Any) -> bool:
    """Whether torch would take the way that is followed here, and all is aligned."""
    if not _plain(x, weight, bias) or x.shape[1] % groups:
        return False
    row = x.numel() // (x.shape[0] * groups)
    return bool(_THREADS <= row <= _THREADS * _STEPS and row * x.element_size() % _PACK == 0)


def can_add(y: torch.Tensor, bias: Any) -> bool:
    return _plain(y, bias) and bool(y.numel() < 1 << 31 and y.numel() * y.element_size() % _PACK == 0)


def _plain(x: torch.Tensor, *channels: Any) -> bool:
    """Contiguous planes of a type that is known here, none smaller than a pack, and a value for each channel."""
    if type(x) is not torch.Tensor or x.dtype not in TYPES or x.dim() < 3 or not x.numel() or not x.is_contiguous():
        return False
    if math.prod(x.shape[2:]) * x.element_size() < _PACK or x.data_ptr() % _PACK:
        return False
    return all(_fits(one, x) for one in channels)


def _fits(one: Any, x: torch.Tensor) -> bool:
    if type(one) not in (torch.Tensor, torch.nn.Parameter) or one.device != x.device or one.dtype != x.dtype:
        return False
    return bool(one.shape == x.shape[1:2] and one.is_contiguous())
