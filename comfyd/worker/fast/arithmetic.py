"""What arithmetic a fast call is made in: on a CPU with other kernels than the exact call is bound to, where they are quicker."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import torch


class Arithmetic(NamedTuple):
    """A context to call a model in; calls that ``narrows`` end in fewer bits than they were given."""

    name: str
    within: Callable[[], AbstractContextManager[Any]]
    narrows: bool = False

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result, in the type of the first argument."""
        with self.within():
            result = function(*args, **kwargs)
        return result.to(args[0].dtype) if self.narrows else result


def for_model(device: str) -> tuple[Arithmetic, ...]:
    """What to try for a diffusion model, best first; the last one is close to exact on any machine."""
    return (ONEDNN, AS_IT_IS) if device == "cpu" else (AS_IT_IS,)


def for_decoder(device: str) -> tuple[Arithmetic, ...]:
    """What to try for a decoder, whose result is a picture of 256 levels."""
    if device != "cpu":
        return (AS_IT_IS,)
    return (HALVES, ONEDNN) if _multiplies_halves() else (ONEDNN,)


@contextlib.contextmanager
def _onednn() -> Iterator[None]:
    """Matrix products by oneDNN, which knows CPUs for which MKL takes kernels of half their speed.

    Torch hands oneDNN the products where they may be in bfloat16; on CPUs without matrix units they are in float32 nevertheless.
    """
    products = getattr(torch.backends.mkldnn, "matmul", None)  # newer than some versions of torch that ComfyUI runs with
    if products is None:
        yield
        return
    before = products.fp32_precision
    products.fp32_precision = "bf16"
    try:
        yield
    finally:
        products.fp32_precision = before


@contextlib.contextmanager
def _halves() -> Iterator[None]:
    """Weights are cast on every call, which is little beside their use and leaves no copy that could be out of date."""
    with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
        yield


@functools.cache
def _multiplies_halves() -> bool:
    """Whether the CPU has instructions for bfloat16; without, it is slower than float32."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported and supported())


AS_IT_IS = Arithmetic("", contextlib.nullcontext)
ONEDNN = Arithmetic("products by oneDNN", _onednn)
HALVES = Arithmetic("in bfloat16", _halves, narrows=True)
