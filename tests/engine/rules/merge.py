"""Run as a process: LoRAs on small models whose device is taken for a GPU, beside what the engine's own streaming makes of them.

``python -m tests.engine.rules.merge COMFYUI`` prints what it found as JSON.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["--cpu", "--disable-dynamic-vram"]
import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()
import comfy.memory_management  # noqa: E402
import comfy.model_management  # noqa: E402
import comfy.ops  # noqa: E402
import torch  # noqa: E402
from comfy.model_patcher import LowVramPatch, ModelPatcher  # noqa: E402
from comfy.sd1_clip import SDClipModel  # noqa: E402
from comfy.weight_adapter.lora import LoRAAdapter  # noqa: E402

from comfyd.worker import merging, patching  # noqa: E402

CPU = torch.device("cpu")
LAYER = "transformer.text_model.encoder.layers.0"
WIDE = f"{LAYER}.mlp.fc1.weight"
TOKENS = "transformer.text_model.embeddings.token_embedding.weight"
POSITIONS = "transformer.text_model.embeddings.position_embedding.weight"


def text_encoder() -> torch.nn.Module:
    sizes = {"num_hidden_layers": 1, "hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 256}
    config = {**sizes, "hidden_act": "quick_gelu", "max_position_embeddings": 77, "eos_token_id": 9, "vocab_size": 10}
    return filled(SDClipModel(textmodel_json_config=config, dtype=torch.float16, special_tokens={"start": 8, "end": 9, "pad": 9}))


class Diffusion(torch.nn.Module):
    """As much of a diffusion model as merging asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.img_in = comfy.ops.manual_cast.Linear(64, 128)
        self.out = comfy.ops.manual_cast.Linear(128, 128)
        self.scale = torch.nn.LayerNorm(128)
        self.manual_cast_dtype = None

    def get_dtype_inference(self) -> torch.dtype:
        return torch.float32


def filled(model: torch.nn.Module) -> torch.nn.Module:
    draw = torch.Generator().manual_seed(1)
    for parameter in model.requires_grad_(False).parameters():
        parameter.data = (torch.randn(parameter.shape, generator=draw) * 0.02).to(parameter.dtype)
    return model


def lora(key: str, rows: int, columns: int, seed: int = 1, reshape: list[int] | None = None) -> dict[str, Any]:
    draw = torch.Generator().manual_seed(seed)
    up, down = (torch.randn(shape, generator=draw).half() * 0.05 for shape in ((rows, 4), (4, columns)))
    return {key: LoRAAdapter(set(), (up, down, None, None, None, reshape))}


def patcher(model: torch.nn.Module, is_clip: bool) -> ModelPatcher:
    made = ModelPatcher(model, CPU, CPU)
    if is_clip:
        made.is_clip = True
        made.set_model_compute_dtype(torch.float32)
    return made


def asked(model: torch.nn.Module) -> dict[int, torch.dtype | None]:
    """In which type each layer asks for its weights when a text is encoded, by the layer's identity."""
    seen: dict[int, torch.dtype | None] = {}
    original = comfy.ops.cast_bias_weight

    def cast_bias_weight(layer: Any, input: Any = None, dtype: Any = None, **options: Any) -> Any:
        seen[id(layer)] = dtype if dtype is not None or input is None else input.dtype
        return original(layer, input, dtype=dtype, **options)

    comfy.ops.cast_bias_weight = cast_bias_weight
    try:
        model.encode([[8, 1, 2, 9] + [9] * 73])
    finally:
        comfy.ops.cast_bias_weight = original
    return seen


def streamed(model: torch.nn.Module, key: str, patches: Any, dtype: torch.dtype | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The weight as the engine's streaming gives it in its first pass and in every later one."""
    owner, _, name = key.rpartition(".")
    layer = model.get_submodule(owner)
    layer.seed_key, layer.weight_function, layer.bias_function = owner, [], []
    setattr(layer, f"{name}_lowvram_function", LowVramPatch(key, patches))
    both = [layer.weight, getattr(layer, "bias", None)]
    geometry = comfy.memory_management.tensors_to_geometries(both)
    place = torch.empty(comfy.memory_management.vram_aligned_size(geometry), dtype=torch.uint8)
    for there, here in zip(comfy.memory_management.interpret_gathered_like(geometry, place), both, strict=True):
        if there is not None:
            there.copy_(here)
    layer._prefetch = {"signature": 1, "resident": False, "xfer_dest": place, "cast_geometry": geometry, "needs_cast": False}
    if not hasattr(layer, "bias"):
        layer.bias = None
    first, _ = comfy.ops.resolve_cast_module_with_vbar(layer, dtype, CPU, dtype, None, False)
    return first.clone(), layer._v_weight


def on_a_gpu(action: Callable[[], Any]) -> Any:
    """The action's result where the device is taken for a GPU, whose LoRAs are merged in half precision without streaming."""
    management = comfy.model_management
    before = management.is_device_cuda, management.lora_compute_dtype, torch.cuda.synchronize
    management.is_device_cuda, management.lora_compute_dtype = lambda _: True, lambda _: torch.float16
    torch.cuda.synchronize = lambda *_: None
    try:
        return action()
    finally:
        management.is_device_cuda, management.lora_compute_dtype, torch.cuda.synchronize = before


def load(patched: ModelPatcher) -> None:
    comfy.model_management.load_models_gpu([patched], force_full_load=True)


def encoder_rules() -> dict[str, Any]:
    model, found = text_encoder(), {}
    patched = patcher(model, is_clip=True)
    keys = (WIDE, f"{LAYER}.self_attn.q_proj.weight", TOKENS, POSITIONS)
    for key in keys:
        patched.add_patches(lora(key, *model.state_dict()[key].shape))
    on_a_gpu(lambda: load(patched))
    types = asked(model)
    for key in keys:
        ours = model.state_dict()[key]
        fresh = text_encoder()
        layer = id(model.get_submodule(key.rpartition(".")[0]))
        if layer not in types:
            found[key] = {"asked": "no", "as pristine": torch.equal(ours, fresh.state_dict()[key])}
            continue
        first, later = streamed(fresh, key, patched.patches, types[layer])
        found[key] = {
            "asked": str(types[layer]),
            "first": torch.equal(first, ours.to(first.dtype)),
            "later": torch.equal(later, ours),
        }
    return found


def reshaping_rules() -> dict[str, Any]:
    model = filled(Diffusion())
    pristine = {name: value.clone() for name, value in model.state_dict().items()}
    base = patcher(model, is_clip=False)
    plain, control = base.clone(), base.clone()
    plain.add_patches(lora("out.weight", 128, 128))
    control.add_patches(lora("img_in.weight", 128, 128, reshape=[128, 128]) | lora("img_in.bias", 128, 1, seed=2))
    found: dict[str, Any] = {"shapes": [], "equal": []}
    for switched in (plain, control, control, plain, base, control):
        load(switched)
        found["shapes"].append(list(model.img_in.weight.shape))
        fresh = filled(Diffusion())
        alone = ModelPatcher(fresh, CPU, CPU)
        alone.patches = switched.patches
        load(alone)
        found["equal"].append(all(torch.equal(value, model.state_dict()[name]) for name, value in fresh.state_dict().items()))
    load(base)
    found["put back"] = all(torch.equal(value, model.state_dict()[name]) for name, value in pristine.items())
    return found


def plain_layer_rules() -> dict[str, Any]:
    """Layers that are not ComfyUI's own are not patched by its streaming; nor are they by a change in place."""
    model = filled(Diffusion())
    before = model.scale.weight.clone()
    first, second = patcher(model, is_clip=False), patcher(model, is_clip=False)
    first.add_patches({"scale.weight": (torch.ones(128),)})
    second.add_patches({"scale.weight": (torch.ones(128),)} | lora("out.weight", 128, 128))
    loaded = []
    for patched in (first, second):
        on_a_gpu(lambda patched=patched: load(patched))
        loaded.append(torch.equal(model.scale.weight, before))
    return {"left": loaded}


if __name__ == "__main__":
    merging.install()
    patching.install()
    with torch.inference_mode():
        print(json.dumps({"encoder": encoder_rules(), "reshaping": reshaping_rules(), "plain": plain_layer_rules()}))
