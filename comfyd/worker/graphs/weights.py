"""Where a module's weights are and what it runs: an epoch that changes with either, and what speaks against capturing it."""

import functools
import itertools
import weakref
from collections.abc import Callable
from itertools import chain
from typing import Any

import torch

from .own import is_own, module_of
from .parts import Flat, hooked_everywhere, within

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_NAME = "_comfyd_weights"
"""The attribute of a module that keeps its record, which refers to its parts and must not keep them in memory."""
_REPLACEABLE = frozenset({"model_sampling"})

_serial = itertools.count(1)
_structure = 0
"""Counts what may have changed modules; every record walks its module again after that."""
_meddled = 0
"""Counts what code of node packs may have done to modules, or to the functions they run."""
_looks = 0
"""Counts occasions to look at the addresses again."""
_injected: "weakref.WeakSet[torch.nn.Module]" = weakref.WeakSet()
"""Models into which a patcher has injected something."""
_known_methods: "weakref.WeakKeyDictionary[type, frozenset[str]]" = weakref.WeakKeyDictionary()


class Weights:
    """One module's weights as they were last looked at."""

    def __init__(self, module: torch.nn.Module | None = None) -> None:
        self.owner = next(_serial)
        self.epoch = 0
        """Which addresses the weights have; LoRAs merged into the same storage keep it, and with it the graphs."""
        self.reason = ""
        """Why calls of the module must run eagerly; empty: nothing speaks against a graph."""
        self.compiled = False
        """Whether comfyd itself has compiled a part of it, which cannot be looked into."""
        self._module = None if module is None else weakref.ref(module)
        self._flat: Flat | None = None
        self._addresses: list[int] = []
        self._layout: list[Any] = []
        self._attributes: list[Any] = []
        self._functions: list[Any] = []
        self._names: list[int] = []
        self._settings: list[Any] = []
        self._seen = (-1, -1, -1)

    def __reduce__(self) -> tuple[type["Weights"], tuple[()]]:
        """A copy of the module is another module."""
        return Weights, ()

    def is_of(self, module: torch.nn.Module) -> bool:
        return self._module is not None and self._module() is module

    def look(self, module: torch.nn.Module) -> None:
        """Brings epoch and reason up to date; costs a comparison of three numbers when nothing was said to have changed."""
        now = (_structure, _meddled, _looks)
        if self._seen == now:
            return
        if self._flat is None or self._seen[0] != _structure or self._differs(self._flat, module):
            self._walk(module)
        self._seen = now

    def _differs(self, flat: Flat, module: torch.nn.Module) -> bool:
        if flat.addresses() != self._addresses or not _same(flat.layout(module), self._layout):
            return True
        if self._seen[1] == _meddled:
            return False
        alike = flat.functions() == self._functions and flat.names() == self._names
        return not (alike and _same(flat.attributes(), self._attributes))

    def _walk(self, module: torch.nn.Module) -> None:
        self._flat = flat = Flat(module)
        self.reason = _reason(module, flat)
        self.compiled = any(_is_comfyds(function) for part in within(module) for function in _replaced(part))
        addresses, settings, functions = flat.addresses(), flat.settings(module), flat.functions()
        alike = addresses == self._addresses and functions == self._functions
        if not (addresses and alike and _same(settings, self._settings)):
            self.epoch = next(_serial)
        self._addresses, self._settings, self._functions = addresses, settings, functions
        self._layout, self._attributes, self._names = flat.layout(module), flat.attributes(), flat.names()


def _same(one: list[Any], other: list[Any]) -> bool:
    try:
        return one == other
    except (ValueError, RuntimeError, TypeError):  # something has become another tensor, which cannot be compared
        return False


def of(module: torch.nn.Module, died: Callable[[int], None]) -> Weights:
    """The module's weights, up to date; ``died`` is called with their owner number when a module new to us is collected."""
    weights = _record(module)
    if weights is None:
        weights = vars(module)[_NAME] = Weights(module)
        weakref.finalize(module, died, weights.owner).atexit = False
    weights.look(module)
    return weights


def owned_by(module: torch.nn.Module) -> list[int]:
    """The owner numbers of a module and of those within it."""
    return [weights.owner for part in module.modules() if (weights := _record(part))]


def _record(module: torch.nn.Module) -> Weights | None:
    found = vars(module).get(_NAME)
    return found if isinstance(found, Weights) and found.is_of(module) else None


def look_again() -> None:
    """Others may have run: addresses have to be compared before the next replay."""
    global _looks
    _looks += 1


def meddled() -> None:
    """Code of node packs may have run: functions and attributes have to be compared too."""
    global _meddled
    _meddled += 1


def times_meddled() -> int:
    """How often that was said: what is told of a model without looking at its weights holds until the next time."""
    return _meddled


def changed() -> None:
    """Modules or weights were changed, or may have been."""
    global _structure
    _structure += 1


def watch(unloaded: Callable[[torch.nn.Module], None]) -> None:
    """Has the engine's own ways of changing weights say so; ``unloaded`` hears of models that leave the device."""
    from comfy.model_patcher import ModelPatcher

    for name in ("load", "partially_unload", "patch_hook_weight_to_device"):
        setattr(ModelPatcher, name, _noted(getattr(ModelPatcher, name)))
    ModelPatcher.inject_model = _injecting(ModelPatcher.inject_model, _injects, _injected.add)
    ModelPatcher.eject_model = _injecting(ModelPatcher.eject_model, lambda patcher: patcher.is_injected, _injected.discard)
    ModelPatcher.patch_model = _patching(ModelPatcher.patch_model)
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


def _injecting(original: Callable[..., Any], happens: Callable[[Any], bool], note: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def injecting(self: Any) -> Any:
        if not happens(self):
            return original(self)
        try:
            return original(self)
        finally:
            note(self.model)
            changed()

    return injecting


def _injects(patcher: Any) -> bool:
    return any(patcher.injections.values()) and not patcher.is_injected and not patcher.skip_injection


def _patching(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def patch_model(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.object_patches.keys() - _REPLACEABLE:
            changed()
        return original(self, *args, **kwargs)

    return patch_model


def _unpatching(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def unpatch_model(self: Any, device_to: Any = None, unpatch_weights: bool = True) -> Any:
        if unpatch_weights or self.object_patches_backup.keys() - _REPLACEABLE:
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


def foreign(module: torch.nn.Module) -> str:
    """Whose code takes part in the module's calls beside ComfyUI's, comfyd's and torch's; empty: nobody's."""
    if hooked_everywhere():
        return "code of a node pack hooks into every module"
    if any(module is part for model in _injected for part in model.modules()):
        return "a node has changed its modules"
    parts = list(within(module))
    kinds = dict.fromkeys(map(type, parts))
    return next(filter(None, chain(map(_kind_reason, kinds), map(_part_reason, parts))), "")


def _reason(module: torch.nn.Module, flat: Flat) -> str:
    if reason := foreign(module):
        return reason
    if any(map(_is_patched_on_call, within(module))):
        return "its weights are patched on every call"
    return next(filter(None, map(_tensor_reason, flat.tensors)), "")


def _kind_reason(kind: type[torch.nn.Module]) -> str:
    if not is_own(kind.__module__):
        return f"its layers come from {kind.__module__}"
    return "" if is_own(module_of(kind.forward)) else f"code of a node pack hooks into {kind.__name__}"


def _part_reason(part: torch.nn.Module) -> str:
    if part._forward_hooks or part._forward_pre_hooks or not all(map(_is_comfyds, _replaced(part))):
        return f"code of a node pack hooks into {type(part).__name__}"
    return ""


def _is_patched_on_call(part: torch.nn.Module) -> bool:
    return bool(getattr(part, "weight_function", None) or getattr(part, "bias_function", None))


def _replaced(part: torch.nn.Module) -> list[Any]:
    """What was put in place of methods of the class; a method of the class's own that was put back there is none."""
    shadowing = _methods(type(part)).intersection(vars(part))
    return [vars(part)[name] for name in shadowing if not _is_its_own(vars(part)[name], part, name)]


def _methods(kind: type) -> frozenset[str]:
    if kind not in _known_methods:
        _known_methods[kind] = frozenset(name for name in dir(kind) if callable(getattr(kind, name)))
    return _known_methods[kind]


def _is_comfyds(function: Any) -> bool:
    return module_of(function).startswith("comfyd.")


def _is_its_own(method: Any, part: torch.nn.Module, name: str) -> bool:
    return getattr(method, "__self__", None) is part and getattr(method, "__func__", None) is getattr(type(part), name)


def _tensor_reason(tensor: Any) -> str:
    if type(tensor) not in _PLAIN:
        return f"its weights are of type {type(tensor).__name__}"
    return "" if tensor.is_cuda or tensor.dim() == 0 else "a part of its weights is in RAM"
