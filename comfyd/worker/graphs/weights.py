"""Where a module's weights are: an epoch that changes with their addresses, and what speaks against capturing them."""

import functools
import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch

_OWN = ("comfy", "comfyd", "torch", "comfy_extras", "comfy_kitchen")
_PLAIN = (torch.Tensor, torch.nn.Parameter)

_serial = itertools.count(1)
_records: "weakref.WeakKeyDictionary[torch.nn.Module, Weights]" = weakref.WeakKeyDictionary()
_structure = 0
"""Counts what may have changed modules; every record walks its module again after that."""
_looks = 0
"""Counts occasions to look at the addresses again."""


class Weights:
    """One module's weights as they were last looked at."""

    def __init__(self) -> None:
        self.owner = next(_serial)
        self.epoch = 0
        """Which addresses the weights have; LoRAs merged into the same storage keep it, and with it the graphs."""
        self.reason = ""
        """Why calls of the module must run eagerly; empty: nothing speaks against a graph."""
        self.compiled = False
        """Whether comfyd itself has compiled a part of it, which cannot be looked into."""
        self._slots: list[tuple[dict[str, Any], str]] = []
        self._addresses: list[int] = []
        self._seen = (-1, -1)

    def look(self, module: torch.nn.Module) -> None:
        """Brings epoch and reason up to date; costs a comparison of two numbers when nothing was said to have changed."""
        if self._seen == (_structure, _looks):
            return
        if self._seen[0] != _structure or self._where() != self._addresses:
            self._walk(module)
        self._seen = (_structure, _looks)

    def _walk(self, module: torch.nn.Module) -> None:
        self._slots = list(_slots(module))
        self.reason = _reason(module, self._slots)
        self.compiled = any(_replaced(part).startswith("comfyd.") for part in _parts(module))
        addresses = self._where()
        if addresses != self._addresses or not addresses:
            self._addresses = addresses
            self.epoch = next(_serial)

    def _where(self) -> list[int]:
        """The addresses; empty where a weight has gone or become something else, which calls for a walk."""
        try:
            return [owner[name].data_ptr() for owner, name in self._slots]  # a thousand of them, at the start of every run
        except (KeyError, AttributeError, RuntimeError):
            return []


def of(module: torch.nn.Module, died: Callable[[int], None]) -> Weights:
    """The module's weights, up to date; ``died`` is called with their owner number when a module new to us is collected."""
    weights = _records.get(module)
    if weights is None:
        weights = _records[module] = Weights()
        weakref.finalize(module, died, weights.owner).atexit = False
    weights.look(module)
    return weights


def owned_by(module: torch.nn.Module) -> list[int]:
    """The owner numbers of a module and of those within it."""
    return [weights.owner for part in _parts(module) if (weights := _records.get(part))]


def look_again() -> None:
    """Others may have run: addresses have to be compared before the next replay."""
    global _looks
    _looks += 1


def changed() -> None:
    """Modules or weights were changed, or may have been."""
    global _structure
    _structure += 1


def watch(unloaded: Callable[[torch.nn.Module], None]) -> None:
    """Has the engine's own ways of changing weights say so; ``unloaded`` hears of models that leave the device."""
    from comfy.model_patcher import ModelPatcher

    for name in ("load", "partially_unload", "patch_hook_weight_to_device"):
        setattr(ModelPatcher, name, _noted(getattr(ModelPatcher, name)))
    ModelPatcher.unpatch_model = _unpatching(ModelPatcher.unpatch_model)
    ModelPatcher.detach = _detaching(ModelPatcher.detach, unloaded)


def _noted(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, *args, **kwargs)
        finally:
            changed()

    return noted


def _unpatching(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def unpatch_model(self: Any, device_to: Any = None, unpatch_weights: bool = True) -> Any:
        if unpatch_weights:
            changed()
        return original(self, device_to, unpatch_weights=unpatch_weights)

    return unpatch_model


def _detaching(original: Callable[..., Any], unloaded: Callable[[torch.nn.Module], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def detach(self: Any, unpatch_all: bool = True) -> Any:
        if unpatch_all:
            unloaded(self.model)
            changed()
        return original(self, unpatch_all)

    return detach


def _parts(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The module and those within it; ``modules()`` takes four times as long."""
    stack, seen = [module], {id(module)}
    while stack:
        part = stack.pop()
        yield part
        for child in part._modules.values():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                stack.append(child)


def _slots(module: torch.nn.Module) -> Iterator[tuple[dict[str, Any], str]]:
    for part in _parts(module):
        for held in (part._parameters, part._buffers):
            for name, tensor in held.items():
                if tensor is not None:
                    yield held, name


def _reason(module: torch.nn.Module, slots: list[tuple[dict[str, Any], str]]) -> str:
    for part in _parts(module):
        if reason := _part_reason(part):
            return reason
    for held, name in slots:
        if reason := _tensor_reason(held[name]):
            return reason
    return ""


def _part_reason(part: torch.nn.Module) -> str:
    kind = type(part)
    if kind.__module__.split(".")[0] not in _OWN:
        return f"its layers come from {kind.__module__}"
    replaced = _replaced(part)
    if (replaced and not replaced.startswith("comfyd.")) or part._forward_hooks or part._forward_pre_hooks:
        return f"code of a node pack hooks into {kind.__name__}"
    if getattr(part, "weight_function", None) or getattr(part, "bias_function", None):
        return "its weights are patched on every call"
    return ""


def _replaced(part: torch.nn.Module) -> str:
    """The Python module of a ``forward`` that was put in place of the class' own; empty: none was."""
    forward = vars(part).get("forward")
    return "" if forward is None else str(getattr(forward, "__module__", None) or "unknown")


def _tensor_reason(tensor: Any) -> str:
    if type(tensor) not in _PLAIN:
        return f"its weights are of type {type(tensor).__name__}"
    return "" if tensor.is_cuda or tensor.dim() == 0 else "a part of its weights is in RAM"
