"""LoRAs merged with the stock server's bits.

ComfyUI's default (dynamic VRAM) merges the weights that it streams in the type the model computes in; without it, which is how
comfyd loads models, it would do so partly in another. Here every merge, of a load and of a change in place, is the default's.

Text encoders compute in float32, whatever type their weights have. The default's first pass after a LoRA has come or changed
uses the merged weights unrounded, every later one, until they leave the device, the same rounded to the weights' own type. Two
encodes of one text so differ by their order there; here each is the later one, so that a result does not hang on what was
encoded before, and can be found by its content.
"""

import collections
import functools
from collections.abc import Callable
from typing import Any

import comfy.clip_model
import comfy.float
import comfy.lora
import comfy.model_management
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher, get_key_weight

_SMALL = 16 * 1024  # bytes up to which the default loads a module in one piece, and merges as without streaming
_HALVES = (torch.float16, torch.bfloat16)
_Backup = collections.namedtuple("_Backup", ["weight", "inplace_update"])
_PLAIN = (torch.Tensor, torch.nn.Parameter)


def install() -> None:
    """Wraps the patcher's method that patches a weight as it is loaded."""
    ModelPatcher.patch_weight_to_device = _merging(ModelPatcher.patch_weight_to_device)


def _merging(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def patch_weight_to_device(self: Any, key: str, device_to: Any = None, *rest: Any, **options: Any) -> Any:
        if rest or options or device_to is None or key not in self.patches or not _by_default(self, device_to):
            return original(self, key, device_to, *rest, **options)
        if left_alone(self, key, device_to):
            return get_key_weight(self.model, key)[0]
        if not _streamed(self, key, device_to):
            return original(self, key, device_to)
        weight = comfy.utils.get_attr(self.model, key)
        if key not in self.backup:
            self.backup[key] = _Backup(weight.to(device=self.offload_device), False)
        comfy.utils.set_attr_param(self.model, key, merged(self, key, self.backup[key].weight, device_to))
        return None

    return patch_weight_to_device


def merged(patcher: Any, key: str, pristine: torch.Tensor, device: Any) -> torch.Tensor:
    """The pristine weight with the patcher's LoRAs, on the device."""
    streamed = _streamed(patcher, key, device)
    dtype = _compute_dtype(patcher, key, pristine) if streamed else comfy.model_management.lora_compute_dtype(device)
    weight = comfy.model_management.cast_to_device(pristine, device, dtype, copy=True)
    within = dtype if streamed else torch.float32
    out = comfy.lora.calculate_weight(patcher.patches[key], weight, key, intermediate_dtype=within)
    seed = comfy.utils.string_to_seed(key.rpartition(".")[0] if streamed else key)
    return comfy.float.stochastic_rounding(out, pristine.dtype, seed=seed)


def left_alone(patcher: Any, key: str, device: Any) -> bool:
    """Whether the stock server's default does not patch the weight, though it has patches.

    It patches what its own layers ask for; position embeddings of CLIP are read from the layer, past its patches.
    """
    if not _by_default(patcher, device):
        return False
    owner = key.rpartition(".")[0]
    above = comfy.utils.get_attr(patcher.model, owner.rpartition(".")[0]) if "." in owner else None
    if isinstance(above, comfy.clip_model.CLIPEmbeddings) and owner.endswith(".position_embedding"):
        return True
    return not hasattr(comfy.utils.get_attr(patcher.model, owner), "comfy_cast_weights") if owner else True


def reshapes(patcher: Any, key: str) -> bool:
    """Whether the patches make a weight of another shape of it."""
    if key not in patcher.patches:
        return False
    pristine = patcher.backup[key].weight if key in patcher.backup else get_key_weight(patcher.model, key)[0]
    return bool(comfy.lora.calculate_shape(patcher.patches[key], pristine, key) != pristine.shape)


def _by_default(patcher: Any, device: Any) -> bool:
    """Whether it is a model that the stock server's default streams to the device: a diffusion model, a text encoder."""
    if not comfy.model_management.is_device_cuda(device):
        return False
    if patcher.is_clip:
        return not patcher.forced_hooks and not getattr(patcher.model, "disable_offload", False)
    return hasattr(patcher.model, "get_dtype_inference")


def _streamed(patcher: Any, key: str, device: Any) -> bool:
    """Whether the default streams this weight, of those whose bits it merges in the same way every time."""
    owner, _, name = key.rpartition(".")
    weight, set_function, convert_function = get_key_weight(patcher.model, key)
    if not _by_default(patcher, device) or name not in ("weight", "bias"):
        return False
    if set_function or convert_function or type(weight) not in _PLAIN:
        return False
    module = comfy.utils.get_attr(patcher.model, owner)
    large = hasattr(module, "comfy_cast_weights") and comfy.model_management.module_size(module) > _SMALL
    return large and not _any_reshapes(patcher, owner)


def _any_reshapes(patcher: Any, owner: str) -> bool:
    """Whether a module's weight or its bias gets another shape: the default then loads both in one piece."""
    return any(reshapes(patcher, key) for key in (f"{owner}.weight", f"{owner}.bias"))


def _compute_dtype(patcher: Any, key: str, weight: torch.Tensor) -> torch.dtype:
    """The type in which the weight's layer asks for it."""
    layer = comfy.utils.get_attr(patcher.model, key.rpartition(".")[0])
    if isinstance(layer, torch.nn.Embedding) and weight.dtype in _HALVES:
        return weight.dtype
    if patcher.is_clip:
        return torch.float32
    return patcher.model.manual_cast_dtype or weight.dtype
