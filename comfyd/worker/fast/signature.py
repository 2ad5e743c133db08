"""What of a model call decides which kernels it is made of: two calls of one signature differ in values alone."""

from collections.abc import Hashable
from typing import Any

import torch

from .compiled import ALTERED

_OPTIONS = "transformer_options"


def signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
    """Shapes and types of all tensors, a ControlNet's included, switches, and what a node has changed in the blocks."""
    named = ((name, value) for name, value in sorted(kwargs.items()) if name != _OPTIONS)
    return _form(list(args)), _form(list(named)), _altered(kwargs.get(_OPTIONS) or {})


def _altered(options: Any) -> Hashable:
    """Which kinds of patches there are, and how many of each."""
    return tuple((name, _parts(options.get(name))) for name in ALTERED)


def _parts(patches: Any) -> Hashable:
    if isinstance(patches, dict):
        return tuple(sorted((str(name), len(found) if isinstance(found, (dict, list)) else 1) for name, found in patches.items()))
    return bool(patches)


def _form(value: Any) -> Hashable:
    match value:
        case torch.Tensor():
            return tuple(value.shape), value.dtype
        case None | bool() | int() | str():
            return value
        case list() | tuple():
            return tuple(map(_form, value))
        case dict():
            return tuple((str(name), _form(item)) for name, item in sorted(value.items(), key=lambda item: str(item[0])))
    return type(value).__name__
