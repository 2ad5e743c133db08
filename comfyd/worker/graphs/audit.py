"""A run looked at operation by operation for what a graph would freeze: values from RAM, values read back, random draws."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy
import torch
from torch.utils._python_dispatch import TorchDispatchMode

_READS = {"_local_scalar_dense", "item", "nonzero", "is_nonzero", "equal", "masked_select", "_unique2", "unique_dim"}
_COPIES = {"_to_copy", "copy_", "_copy_from", "copy"}


class Watch(TorchDispatchMode):  # type: ignore[misc]
    """Notes the first operation that a graph would not repeat; every operation still runs."""

    def __init__(self) -> None:
        super().__init__()
        self.found = ""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if not self.found:
            name = function.overloadpacket.__name__
            self.found = _frozen(name, list(_tensors((args, kwargs))), list(_tensors(result)))
        return result


def _frozen(name: str, given: list[torch.Tensor], made: list[torch.Tensor]) -> str:
    """What is wrong with an operation; empty: nothing."""
    on_gpu = any(tensor.is_cuda for tensor in given)
    if on_gpu and (name in _READS or any(not tensor.is_cuda for tensor in made)):
        return f"it reads a value back from the GPU ({name})"
    if any(tensor.is_cuda for tensor in made):
        for tensor in given:
            if not tensor.is_cuda and (tensor.dim() > 0 or name in _COPIES):
                return f"it takes values from RAM ({name})"
    return ""


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


class Draws:
    """Whether random numbers were drawn since; ``undo`` puts the generators back."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._before = self._now()

    def any(self) -> bool:
        before, now = self._before, self._now()
        tensors = all(torch.equal(before[name], now[name]) for name in ("cpu", "cuda"))
        arrays = numpy.array_equal(before["numpy"][1], now["numpy"][1]) and before["numpy"][2:] == now["numpy"][2:]
        return not (tensors and arrays and before["python"] == now["python"])

    def undo(self) -> None:
        torch.set_rng_state(self._before["cpu"])
        torch.cuda.set_rng_state(self._before["cuda"], self._device)
        numpy.random.set_state(self._before["numpy"])
        random.setstate(self._before["python"])

    def _now(self) -> dict[str, Any]:
        return {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self._device),
            "numpy": numpy.random.get_state(),
            "python": random.getstate(),
        }


@contextlib.contextmanager
def undone(draws: Draws) -> Iterator[None]:
    """Puts the generators back afterwards if something was drawn."""
    try:
        yield
    finally:
        if draws.any():
            draws.undo()
