"""LoRAs merged with the stock server's bits, and into the storage that a loaded model has.

ComfyUI's default (dynamic VRAM) merges the weights that it streams in the type the model computes in; without it, which is how
comfyd loads models, it would do so partly in float32, and a change of LoRAs would move the whole model off the device and back.
Here the merge is the default's, and a change copies new values into the same storage, so that captured graphs stay valid.
Values are always made from the pristine weights, never by subtraction.
"""

import collections
import functools
from collections.abc import Callable
from typing import Any

import comfy.float
import comfy.lora
import comfy.model_management
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher, get_key_weight
from comfy.patcher_extension import CallbacksMP

_SMALL = 16 * 1024  # bytes up to which the default loads a module in one piece, and merges as without streaming
_Backup = collections.namedtuple("_Backup", ["weight", "inplace_update"])
_PLAIN = (torch.Tensor, torch.nn.Parameter)


def install() -> None:
    """Wraps the two methods of the patcher."""
    ModelPatcher.patch_weight_to_device = _merging(ModelPatcher.patch_weight_to_device)
    ModelPatcher.partially_load = _changing(ModelPatcher.partially_load)


def _merging(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def patch_weight_to_device(self: Any, key: str, device_to: Any = None, *rest: Any, **options: Any) -> Any:
        if rest or options or device_to is None or key not in self.patches or not _streamed(self, key, device_to):
            return original(self, key, device_to, *rest, **options)
        weight = comfy.utils.get_attr(self.model, key)
        if key not in self.backup:
            self.backup[key] = _Backup(weight.to(device=self.offload_device), False)
        comfy.utils.set_attr_param(self.model, key, _merged(self, key, self.backup[key].weight, device_to))
        return None

    return patch_weight_to_device


def _changing(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def partially_load(self: Any, device_to: Any, extra_memory: float = 0, force_patch_weights: bool = False) -> Any:
        # Less than no extra memory: the engine wants a part of the model to go.
        if force_patch_weights or extra_memory < 0 or not _only_patches_differ(self, device_to):
            return original(self, device_to, extra_memory, force_patch_weights=force_patch_weights)
        with self.use_ejected(skip_and_inject_on_exit_only=True):
            self.unpatch_model(self.offload_device, unpatch_weights=False)
            _change(self, device_to)
            self.patch_model(load_weights=False)
        return 0

    return partially_load


def _only_patches_differ(patcher: Any, device: Any) -> bool:
    """Whether the model is wholly on the device, patched by another patcher, and nothing else tells the two apart."""
    model = patcher.model
    if patcher.is_dynamic() or model.current_weight_patches_uuid in (None, patcher.patches_uuid):
        return False
    if model.model_lowvram or not model.model_loaded_weight_memory or model.device != device:
        return False
    if patcher.hook_backup or patcher.current_hooks or patcher.forced_hooks or patcher.injections or patcher.force_cast_weights:
        return False
    if patcher.weight_wrapper_patches or patcher.get_all_callbacks(CallbacksMP.ON_LOAD):
        return False
    if "manual_cast_dtype" in patcher.object_patches:
        return False
    return all(_replaceable(patcher, key, device) for key in patcher.patches.keys() | patcher.backup.keys())


def _replaceable(patcher: Any, key: str, device: Any) -> bool:
    """Whether a weight can be given other values where it is."""
    weight, set_function, convert_function = get_key_weight(patcher.model, key)
    if set_function or convert_function or type(weight) not in _PLAIN or weight.device != device:
        return False
    if key in patcher.backup and patcher.backup[key].weight.shape != weight.shape:
        return False
    return key not in patcher.patches or comfy.lora.calculate_shape(patcher.patches[key], weight, key) == weight.shape


def _change(patcher: Any, device: Any) -> None:
    """From what the weights are patched with to what this patcher's are."""
    for key in patcher.backup.keys() - patcher.patches.keys():
        comfy.utils.copy_to_param(patcher.model, key, patcher.backup.pop(key).weight)
    for key in patcher.patches:
        weight = comfy.utils.get_attr(patcher.model, key)
        if key not in patcher.backup:
            patcher.backup[key] = _Backup(weight.to(device=patcher.offload_device, copy=True), False)
        comfy.utils.copy_to_param(patcher.model, key, _merged(patcher, key, patcher.backup[key].weight, device))
    patcher.model.current_weight_patches_uuid = patcher.patches_uuid


def _merged(patcher: Any, key: str, pristine: torch.Tensor, device: Any) -> torch.Tensor:
    """The pristine weight with the patcher's LoRAs, on the device."""
    streamed = _streamed(patcher, key, device)
    dtype = _compute_dtype(patcher.model, pristine) if streamed else comfy.model_management.lora_compute_dtype(device)
    weight = comfy.model_management.cast_to_device(pristine, device, dtype, copy=True)
    within = dtype if streamed else torch.float32
    out = comfy.lora.calculate_weight(patcher.patches[key], weight, key, intermediate_dtype=within)
    seed = comfy.utils.string_to_seed(key.rpartition(".")[0] if streamed else key)
    return comfy.float.stochastic_rounding(out, pristine.dtype, seed=seed)


def _streamed(patcher: Any, key: str, device: Any) -> bool:
    """Whether the stock server's default streams this weight, of those whose bits it merges in the same way every time."""
    if not comfy.model_management.is_device_cuda(device) or not hasattr(patcher.model, "get_dtype_inference"):
        return False
    owner, _, name = key.rpartition(".")
    module = comfy.utils.get_attr(patcher.model, owner)
    weight, set_function, convert_function = get_key_weight(patcher.model, key)
    if name not in ("weight", "bias") or set_function or convert_function or type(weight) not in _PLAIN:
        return False
    return hasattr(module, "comfy_cast_weights") and comfy.model_management.module_size(module) > _SMALL


def _compute_dtype(model: Any, weight: torch.Tensor) -> torch.dtype:
    return model.manual_cast_dtype or weight.dtype
