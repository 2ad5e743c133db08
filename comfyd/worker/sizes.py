"""What a node's outputs weigh: bytes of tensors by device, and the models they hold."""

import contextlib
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy
import torch
from comfy.controlnet import ControlBase
from comfy.model_patcher import ModelPatcher

_OPAQUE = (type, FunctionType, MethodType, ModuleType)


class Weight:
    """Bytes in RAM and VRAM, and the patchers of the models reached, each counted once."""

    def __init__(self, value: Any) -> None:
        self.ram = 0
        self.vram = 0
        self.patchers: list[tuple[str, ModelPatcher]] = []
        """(kind, patcher) in the order met; kinds are model, clip, vae, controlnet and other."""
        self._seen: set[int] = set()
        # Objects of node packs may answer any question with an error; what they are made of is then not known.
        with contextlib.suppress(Exception):
            self._add(value)

    def _add(self, root: Any) -> None:
        stack = [root]
        while stack:
            value = stack.pop()
            if isinstance(value, (str, int, float, bool, type(None))) or id(value) in self._seen:
                continue
            self._seen.add(id(value))
            if isinstance(value, torch.Tensor):
                self._add_tensor(value)
            elif isinstance(value, numpy.ndarray):
                self.ram += value.nbytes
            elif found := _patcher(value):
                self.patchers.append(found)
                stack.extend(_besides_the_model(value, found[1]))
            else:
                stack.extend(_children(value))

    def _add_tensor(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage.data_ptr() in self._seen:
            return
        self._seen.add(storage.data_ptr())
        if tensor.device.type == "cpu":
            self.ram += storage.nbytes()
        else:
            self.vram += storage.nbytes()


def _patcher(value: Any) -> tuple[str, ModelPatcher] | None:
    """The model patcher of a MODEL, CLIP, VAE or CONTROL_NET value, with its kind."""
    if isinstance(value, ModelPatcher):
        return "model", value
    for attribute, kind in (("patcher", ""), ("control_model_wrapped", "controlnet")):
        patcher = getattr(value, attribute, None)
        if isinstance(patcher, ModelPatcher):
            return kind or _kind(value), patcher
    return None


def _besides_the_model(value: Any, patcher: ModelPatcher) -> Iterator[Any]:
    """What a value of a model holds of its own: weights of LoRAs, a ControlNet's hint and the one it is stacked on."""
    yield patcher.patches
    if isinstance(value, ControlBase):
        yield from (value.cond_hint_original, value.previous_controlnet)


def _kind(value: Any) -> str:
    name = type(value).__name__.lower()
    return name if name in ("clip", "vae") else "other"


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, (list, tuple, set)):
        yield from value
    elif isinstance(value, torch.nn.Module):
        yield from value.parameters()
        yield from value.buffers()
    elif hasattr(value, "__dict__") and not isinstance(value, _OPAQUE):
        yield from vars(value).values()
