"""A module and those within it laid flat: whether something has changed there is a comparison of a few lists."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from operator import getitem
from typing import Any

import torch
from torch.nn import functional
from torch.nn.modules import module as _module

_APART = frozenset({"model_sampling"})
"""Parts of a model that are put in and taken out by themselves, and looked at by themselves."""
_SCALARS = (bool, int, float, str, tuple, type(None), torch.dtype)
_TRANSIENT = frozenset(
    {
        "comfy_patched_weights",
        "current_patcher",
        "current_weight_patches_uuid",
        "device",
        "lowvram_patch_counter",
        "model_loaded_weight_memory",
        "model_lowvram",
        "model_offload_buffer_memory",
    }
)
"""Attributes that ComfyUI keeps for itself."""


class Flat:
    """What a module consisted of; ``root`` is given anew each time, because this is kept by it."""

    def __init__(self, root: torch.nn.Module) -> None:
        parts = list(within(root))
        self._attributes = [vars(part) for part in parts[1:]]
        self._children = [part._modules for part in parts[1:] if part._modules]
        self._first = [name for name in root._modules if name not in _APART]
        self._hooks = [hooks for part in parts for hooks in (part._forward_hooks, part._forward_pre_hooks)]
        holders = [held for part in parts for held in (part._parameters, part._buffers)]
        slots = [(held, name, tensor is None) for held in holders for name, tensor in held.items()]
        self._slots = _columns((held, name) for held, name, empty in slots if not empty)
        self._empty = _columns((held, name) for held, name, empty in slots if empty)
        self._namespaces = _namespaces(dict.fromkeys(type(part) for part in parts))
        named = ((space, name) for space in self._namespaces for name in space if callable(space[name]))
        self._functions = _columns(named)

    @property
    def tensors(self) -> list[Any]:
        """Parameters and buffers."""
        return list(map(getitem, *self._slots))

    def addresses(self) -> list[int]:
        """Those of the weights; empty where one has gone or become something else."""
        try:
            return list(map(torch.Tensor.data_ptr, map(getitem, *self._slots)))
        except (KeyError, TypeError, AttributeError, RuntimeError):
            return []

    def layout(self, root: torch.nn.Module) -> list[Any]:
        """The parts, how many attributes each has, empty places of weights, and whether there are hooks."""
        sizes = map(len, (vars(root), root._modules, *self._attributes))
        children = chain(map(root._modules.get, self._first), chain.from_iterable(map(dict.values, self._children)))
        empty = (held.get(name) is None for held, name in zip(*self._empty, strict=True))
        return [*sizes, *children, all(empty), any(self._hooks), bool(hooked_everywhere())]

    def attributes(self) -> list[Any]:
        """The values of all attributes of the parts, but not the root's own, which the engine sets in every run."""
        return list(chain.from_iterable(map(dict.values, self._attributes)))

    def functions(self) -> list[Any]:
        """The functions of the parts' classes and of the files these come from; empty where one has gone."""
        try:
            return list(map(getitem, *self._functions))
        except KeyError:
            return []

    def names(self) -> list[int]:
        """How many things these classes and files name."""
        return list(map(len, self._namespaces))

    def settings(self, root: torch.nn.Module) -> list[Any]:
        """The attributes whose values may choose kernels."""
        held = (vars(root), *self._attributes)
        pairs = zip(chain.from_iterable(held), chain.from_iterable(map(dict.values, held)), strict=True)
        return [value for name, value in pairs if type(value) in _SCALARS and name not in _TRANSIENT]


def within(root: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The module and those within it but what is looked at by itself; ``modules()`` takes four times as long."""
    stack, seen = [root], {id(root)}
    while stack:
        part = stack.pop()
        yield part
        for name, child in part._modules.items():
            if child is not None and id(child) not in seen and not (part is root and name in _APART):
                seen.add(id(child))
                stack.append(child)


def hooked_everywhere() -> bool:
    """Whether there are hooks into the calls of all modules."""
    return bool(_module._global_forward_hooks or _module._global_forward_pre_hooks)


def _namespaces(kinds: Iterable[type]) -> list[Mapping[str, Any]]:
    """Of the classes, of what they inherit from, and of the files that define them."""
    classes = dict.fromkeys(base for kind in kinds for base in kind.__mro__ if base is not object)
    files = {base.__module__: sys.modules.get(base.__module__) for base in classes if not base.__module__.startswith("torch.")}
    return [*map(vars, classes), *(vars(file) for file in files.values() if file is not None), vars(functional)]


def _columns(pairs: Iterable[tuple[Mapping[str, Any], str]]) -> tuple[list[Mapping[str, Any]], list[str]]:
    held, names = [], []
    for one, name in pairs:
        held.append(one)
        names.append(name)
    return held, names
