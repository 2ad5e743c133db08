"""The arguments of a call as a structure that can be compared, and the tensors that fill it; pure."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import torch

_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
_TENSORS = (torch.Tensor, torch.nn.Parameter)
_TENSOR = ("tensor",)
_SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple"}


class Unsupported(Exception):
    """Something among the arguments that a graph could silently freeze; says what."""


def flatten(value: Any, known: Callable[[Any], bool] = lambda _: False) -> tuple[Hashable, list[torch.Tensor]]:
    """The structure of nested lists, tuples and dicts of plain values, and its tensors in order; raises Unsupported.

    ``known`` says of anything else whether it may stand in the structure as it is.
    """
    tensors: list[torch.Tensor] = []
    return _structure(value, tensors, known), tensors


def build(structure: Any, tensors: list[torch.Tensor]) -> Any:
    """The value of this structure, filled with these tensors."""
    return _filled(structure, iter(tensors))


def _structure(value: Any, tensors: list[torch.Tensor], known: Callable[[Any], bool]) -> Hashable:
    kind = type(value)
    if kind in _TENSORS:
        tensors.append(value)
        return _TENSOR
    if kind in _PLAIN:
        return "=", kind, value
    if kind in _SEQUENCES:
        return _SEQUENCES[kind], *(_structure(item, tensors, known) for item in value)
    if kind is dict:
        return "dict", *((key, _structure(item, tensors, known)) for key, item in value.items())
    if known(value):
        return "=", kind, value
    raise Unsupported(f"it is given {_described(value)}")


def _filled(structure: Any, tensors: Iterator[torch.Tensor]) -> Any:
    kind, *parts = structure
    match kind:
        case "tensor":
            return next(tensors)
        case "=":
            return parts[1]
        case "list":
            return [_filled(part, tensors) for part in parts]
        case "tuple":
            return tuple(_filled(part, tensors) for part in parts)
        case _:
            return {key: _filled(part, tensors) for key, part in parts}


def _described(value: Any) -> str:
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    module = getattr(value, "__module__", None) or type(value).__module__
    return f"{module}.{name}"
