"""LoRAs merged with the stock server's bits.

ComfyUI's default (dynamic VRAM) merges the weights that it streams in the type the model computes in; without it, which is how
comfyd loads models, it would do so partly in float32. Here every merge, of a load and of a change in place, is the default's.
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

_SMALL = 16 * 1024  # bytes up to which the default loads a module in one piece, and merges as without streaming
_Backup = collections.namedtuple("_Backup", ["weight", "inplace_update"])
_PLAIN = (torch.Tensor, torch.nn.Parameter)


def install() -> None:
    """Wraps the patcher's method that patches a weight as it is loaded."""
    ModelPatcher.patch_weight_to_device = _merging(ModelPatcher.patch_weight_to_device)


def _merging(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def patch_weight_to_device(self: Any, key: str, device_to: Any = None, *rest: Any, **options: Any) -> Any:
        if rest or options or device_to is None or key not in self.patches or not _streamed(self, key, device_to):
            return original(self, key, device_to, *rest, **options)
        weight = comfy.utils.get_attr(self.model, key)
        if key not in self.backup:
            self.backup[key] = _Backup(weight.to(device=self.offload_device), False)
        comfy.utils.set_attr_param(self.model, key, merged(self, key, self.backup[key].weight, device_to))
        return None

    return patch_weight_to_device


def merged(patcher: Any, key: str, pristine: torch.Tensor, device: Any) -> torch.Tensor:
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
