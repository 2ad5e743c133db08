"""Another LoRA, or another strength, on a model that is loaded: its weights change in place and stay where they are.

ComfyUI takes the whole model off the device, puts back what was there, and loads it again. Here only the weights that differ are
written, each made anew from its pristine copy as ComfyUI makes it, so that the bits are the same, and what has been captured
with the weights' addresses stays valid.
"""

import collections
import functools
from collections.abc import Callable, Iterable
from typing import Any

import comfy.model_management
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher, get_key_weight

from .merging import left_alone, merged, reshapes

_Backup = collections.namedtuple("_Backup", ["weight", "inplace_update"])
"""The form in which a patcher keeps a pristine weight."""


def install() -> None:
    """Wraps the method that loads a model which is loaded already."""
    ModelPatcher.partially_load = _in_place(ModelPatcher.partially_load)


def _in_place(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def partially_load(self: Any, device_to: Any, extra_memory: float = 0, force_patch_weights: bool = False) -> Any:
        if not force_patch_weights and extra_memory >= 0 and _differs_in_patches(self, device_to):
            weights = _weights(self, device_to)
            if weights is not None:
                _repatch(self, device_to, weights)
        loaded = original(self, device_to, extra_memory, force_patch_weights)
        if not self.model.model_lowvram:
            _bring_along(self, device_to)
        return loaded

    return partially_load


def _bring_along(patcher: Any, device: Any) -> None:
    """Tables of what a node has put into a model that is loaded already: the stock server brings them to the device too."""
    for name in patcher.object_patches:
        part = comfy.utils.get_attr(patcher.model, name)
        if isinstance(part, torch.nn.Module) and any(table.device != torch.device(device) for table in part.buffers()):
            part.to(device)


def _differs_in_patches(patcher: Any, device: Any) -> bool:
    """Whether the model is on the device as a whole, and set up for another patcher than this one."""
    model = patcher.model
    loaded = not model.model_lowvram and model.model_loaded_weight_memory > 0 and model.device == device
    alike = patcher.is_clip or not patcher.force_cast_weights  # every patcher of a text encoder has its weights cast, no other's
    plain = alike and not (patcher.hook_backup or patcher.current_hooks or patcher.forced_hooks)
    return loaded and plain and model.current_weight_patches_uuid not in (None, patcher.patches_uuid)


def _weights(patcher: Any, device: Any) -> dict[str, torch.Tensor] | None:
    """The weights that are patched now or are to be; None where one cannot be written over.

    Which is one that is not a plain tensor on the device, or that has another shape than it had or is to have.
    """
    patched = [key for key in patcher.patches if _is_loaded_alone(patcher.model, key) and not left_alone(patcher, key, device)]
    weights = {}
    for key in dict.fromkeys([*patcher.backup, *patched]):
        weight, set_weight, convert = get_key_weight(patcher.model, key)
        if set_weight is not None or convert is not None or type(weight) not in (torch.Tensor, torch.nn.Parameter):
            return None
        if weight.device != torch.device(device) or reshapes(patcher, key):
            return None
        if key in patcher.backup and patcher.backup[key].weight.shape != weight.shape:
            return None
        weights[key] = weight
    return weights


def _is_loaded_alone(model: torch.nn.Module, key: str) -> bool:
    """Whether ComfyUI patches a weight when it loads (``_load_list``): not those beside further modules with weights."""
    owner, _, name = key.rpartition(".")
    try:
        module = model.get_submodule(owner)
    except AttributeError:
        return False
    own = {found for found, _ in module.named_parameters(recurse=False)}
    return name in own and all(found in own for found, _ in module.named_parameters())


def _repatch(patcher: Any, device: Any, weights: dict[str, torch.Tensor]) -> None:
    where = _place_of_copies(patcher, device, [weight for key, weight in weights.items() if key not in patcher.backup])
    try:
        for key, weight in weights.items():
            if key not in patcher.backup:
                patcher.backup[key] = _Backup(weight.to(device=where, copy=True), False)
            _write(patcher, device, key, weight)
    except BaseException:
        patcher.detach()  # everything is put back, as after a load that fails
        raise
    patcher.model.current_weight_patches_uuid = patcher.patches_uuid


def _write(patcher: Any, device: Any, key: str, weight: torch.Tensor) -> None:
    """Sets one weight from its pristine copy, as a load would."""
    pristine = patcher.backup[key].weight
    if key not in patcher.patches:
        weight.data.copy_(pristine)
        del patcher.backup[key]
        return
    weight.data.copy_(merged(patcher, key, pristine, device))


def _place_of_copies(patcher: Any, device: Any, weights: Iterable[torch.Tensor]) -> Any:
    """Where pristine copies are kept: on the device where there is plenty of room, else where models go that are unloaded."""
    size = sum(weight.nbytes for weight in weights)
    room = comfy.model_management.get_free_memory(device) - comfy.model_management.minimum_inference_memory()
    return device if room > 4 * size else patcher.offload_device
