"""What a graph depends on, as a key; pure."""

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch

_CALLED = (
    "flash_sdp_enabled",
    "mem_efficient_sdp_enabled",
    "math_sdp_enabled",
    "cudnn_sdp_enabled",
    "fp16_bf16_reduction_math_sdp_allowed",
    "preferred_blas_library",
)
_MATMUL = (
    "allow_fp16_reduced_precision_reduction",
    "allow_bf16_reduced_precision_reduction",
    "allow_fp16_accumulation",
)
_CUDNN = ("enabled", "benchmark", "benchmark_limit", "deterministic")


@dataclass(frozen=True)
class Key:
    """Two calls with one key launch the same kernels on the same addresses."""

    owner: int
    """The module whose weights take part."""
    epoch: int
    """Which addresses those weights had."""
    others: tuple[int, ...]
    """Further modules it depends on."""
    label: str
    """What is called, for people."""
    structure: Hashable
    specs: tuple[Hashable, ...]
    """Shape, strides and type of every tensor."""
    switches: tuple[Hashable, Hashable]
    """Settings of the process, and of the model, that choose kernels."""


def spec(tensor: torch.Tensor) -> Hashable:
    """Shape, strides and type; not the device, because the graph's own inputs are on the GPU wherever the values come from."""
    return tuple(tensor.shape), tensor.stride(), tensor.dtype


def switches() -> Hashable:
    """The settings of torch that choose kernels."""
    return tuple(get() for get in _getters())


def casts() -> bool:
    """Whether torch casts what functions are given, by itself."""
    return any(map(torch.is_autocast_enabled, ("cuda", "cpu")))


@functools.cache
def _getters() -> tuple[Callable[[], Hashable], ...]:
    cuda, cudnn = torch.backends.cuda, torch.backends.cudnn
    owned = [(cuda, name) for name in _CALLED if hasattr(cuda, name)]
    called: list[Callable[[], Hashable]] = [getattr(owner, name) for owner, name in owned]
    # Torch raises where one of its two ways to set a precision was taken and the other one is read.
    if hasattr(cudnn, "conv"):
        places = [(cuda.matmul, "fp32_precision"), (cudnn.conv, "fp32_precision")]
    else:
        places = [(cuda.matmul, "allow_tf32"), (cudnn, "allow_tf32")]
    places += [(cuda.matmul, name) for name in _MATMUL] + [(cudnn, name) for name in _CUDNN]
    read = [functools.partial(getattr, place, name, None) for place, name in places]
    return (*called, *read, torch.get_default_dtype, torch.are_deterministic_algorithms_enabled, *_order())


def _order() -> list[Callable[[], Hashable]]:
    """Of the kinds of attention kernels."""
    get = getattr(torch._C, "_get_sdp_priority_order", None)
    return [] if get is None else [lambda: tuple(get())]
