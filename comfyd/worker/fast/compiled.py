"""A block's ``forward``, compiled: one compiled function for all blocks of one class with weights of the same shapes."""

import types
from collections.abc import Callable, Container, Hashable
from typing import Any

import torch

from .attention import attend
from .blocks import Kind

ALTERED = ("patches", "patches_replace", "optimized_attention_override")
"""Options with which a node changes what blocks do; such a call is not compiled."""
_PLAIN = (torch.Tensor, type(None), bool, int, float, str)
_functions: dict[Hashable, Callable[..., Any]] = {}


class Compiled:
    """Stands in for one block's ``forward``; its calls are compiled while the block is in ``on``, and then noted in ``ran``."""

    ours = True

    def __init__(self, block: torch.nn.Module, kind: Kind, on: Container[torch.nn.Module], ran: set[torch.nn.Module]) -> None:
        self._block = block
        self._kind = kind
        self._on = on
        self._ran = ran
        self._function = _function(block, kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._block not in self._on:
            return self._kind.forward(self._block, *args, **kwargs)
        plain, named, options = self._parted(args, kwargs)
        if any(options.get(name) for name in ALTERED) or not all(isinstance(v, _PLAIN) for v in (*plain, *named.values())):
            return self._kind.forward(self._block, *args, **kwargs)
        self._ran.add(self._block)
        return self._function(self._block, plain, named)

    def _parted(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
        """The arguments without the options, and these: they name the block, and would make each a case of its own."""
        place = self._kind.options
        if place is None:
            return args, kwargs, {}
        if len(args) > place:
            return args[:place] + args[place + 1 :], kwargs, args[place]
        named = {name: value for name, value in kwargs.items() if name != "transformer_options"}
        return args, named, kwargs.get("transformer_options") or {}


def _function(block: torch.nn.Module, kind: Kind) -> Callable[..., Any]:
    """The compiled function for blocks like this one."""
    key = (kind.forward, tuple((name, p.shape, p.dtype) for name, p in block.named_parameters()))
    if key not in _functions:
        plain = _with_options(kind.forward) if kind.options is not None else _without(kind.forward)
        # Code of its own, because that is what torch keeps compiled variants by: few guards to try, no common limit.
        own = types.FunctionType(plain.__code__.replace(), plain.__globals__, plain.__name__, None, plain.__closure__)
        _functions[key] = torch.compile(own, dynamic=False)
    return _functions[key]


def _with_options(forward: Callable[..., Any]) -> types.FunctionType:
    def block_forward(block: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return forward(block, *args, **kwargs, transformer_options={"optimized_attention_override": attend})

    return block_forward  # type: ignore[return-value]


def _without(forward: Callable[..., Any]) -> types.FunctionType:
    def block_forward(block: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return forward(block, *args, **kwargs)

    return block_forward  # type: ignore[return-value]
