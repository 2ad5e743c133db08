"""What a graph depends on, as a key; pure."""

from collections.abc import Hashable
from dataclasses import dataclass

import torch


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
    cuda, cudnn = torch.backends.cuda, torch.backends.cudnn
    return (
        torch.get_float32_matmul_precision(),
        cuda.matmul.allow_fp16_reduced_precision_reduction,
        cuda.matmul.allow_bf16_reduced_precision_reduction,
        getattr(cuda.matmul, "allow_fp16_accumulation", None),  # since torch 2.7
        cudnn.enabled,
        cudnn.allow_tf32,
        cudnn.benchmark,
        cudnn.deterministic,
        torch.are_deterministic_algorithms_enabled(),
    )
