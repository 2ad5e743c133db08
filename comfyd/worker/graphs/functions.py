"""Torch's functions that kernels of our own answer while a call is captured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .norms import Norms, can_add, can_norm


@dataclass(frozen=True)
class _Normed:
    """A GroupNorm's result that is not written yet, and what writes it, on which stream."""

    y: torch.Tensor
    write: Callable[[torch.Tensor | None, torch.Tensor | None], None]
    stream: Any


class Functions(TorchFunctionMode):  # type: ignore[misc]
    """Answers GroupNorm, together with a SiLU that follows at once, and convolutions with a bias; the rest is torch's.

    A GroupNorm is written when the next function is called, which may be its SiLU, or at the end.
    """

    def __init__(self, norms: Norms, device: torch.device) -> None:
        super().__init__()
        self._norms = norms
        self._device = device
        self._answers: dict[Any, Callable[..., Any]] = {functional.group_norm: self._group_norm}
        if hasattr(torch._C, "_select_conv_backend") and hasattr(torch._C, "_ConvBackend"):
            self._answers[torch.conv2d] = self._conv2d
        self._normed: _Normed | None = None

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        normed, self._normed = self._normed, None
        if normed is not None:
            if function is functional.silu and args[:1] and args[0] is normed.y:
                return self._activate(normed, *args[1:], **kwargs)
            self._write(normed, normed.y, None)
        answer = self._answers.get(function)
        made = answer(*args, **kwargs) if answer else None
        return function(*args, **kwargs) if made is None else made

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        normed, self._normed = self._normed, None
        super().__exit__(kind, error, trace)
        if normed is not None and error is None:
            self._write(normed, normed.y, None)

    def _activate(self, normed: _Normed, inplace: bool = False) -> torch.Tensor:
        activated = normed.y if inplace else torch.empty_like(normed.y)
        self._write(normed, None if inplace else normed.y, activated)
        return activated

    def _write(self, normed: _Normed, y: torch.Tensor | None, activated: torch.Tensor | None) -> None:
        if self._stream() != normed.stream:
            raise RuntimeError("it goes on in another stream after a GroupNorm")
        normed.write(y, activated)

    def _stream(self) -> Any:
        return torch.cuda.current_stream(self._device) if self._device.type == "cuda" else None

    def _group_norm(self, input: torch.Tensor, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
        if not self._ours(input, weight, bias) or not can_norm(input, num_groups, weight, bias):
            return None
        found = self._norms.moments(input, num_groups)

        def write(y: torch.Tensor | None, activated: torch.Tensor | None) -> None:
            self._norms.normalise(input, found, (num_groups, weight, bias, eps), y, activated)

        self._normed = _Normed(torch.empty_like(input), write, self._stream())
        return self._normed.y

    def _conv2d(self, input: torch.Tensor, weight: torch.Tensor, bias: Any = None, *rest: Any, **options: Any) -> Any:
        if not self._ours(input, weight, bias) or not _by_cudnn(input, weight, bias, *rest, **options):
            return None
        y = torch.conv2d(input, weight, None, *rest, **options)
        if not can_add(y, bias):
            return y.add_(bias.view(1, -1, 1, 1))
        self._norms.add(y, bias)
        return y

    def _ours(self, *tensors: Any) -> bool:
        """Whether it is a plain call on this device: all is given, nothing is trained, and nothing converted on the way."""
        if not all(isinstance(one, torch.Tensor) and one.device == self._device for one in tensors):
            return False
        trained = torch.is_grad_enabled() and any(one.requires_grad for one in tensors)
        return not trained and not torch.is_autocast_enabled(self._device.type)


def _by_cudnn(
    input: torch.Tensor, weight: torch.Tensor, bias: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> bool:
    """Whether torch has cuDNN convolve, and adds the bias by itself afterwards."""
    if groups != 1 or input.dim() != 4 or isinstance(padding, str):
        return False
    pairs = [[one, one] if isinstance(one, int) else list(one) for one in (stride, padding, dilation)]
    backend = torch._C._select_conv_backend(input, weight, bias, *pairs, False, [0, 0], groups, None)
    return bool(backend == torch._C._ConvBackend.Cudnn)
