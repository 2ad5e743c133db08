"""What goes with a checkpoint of a real layout: ``python -m tests.gpu.make_parts COMFYUI CHECKPOINT``.

A random LoRA and ControlNet, the checkpoint as a diffusion model, and of SD1.5's layout one made of it that inpaints.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_UNET = "model.diffusion_model."
_TEXT = ("cond_stage_model.", "conditioner.embedders.0.")  # CLIP-L in SD1.5 and in SDXL


def main(comfyui: Path, checkpoint: Path) -> None:
    """Writes NAME-lora, NAME-control, NAME and NAME-inpaint into the tree's models folders."""
    sys.path.insert(0, str(comfyui))
    sys.argv = [sys.argv[0], "--cpu"]
    import comfy.options

    comfy.options.enable_args_parsing()
    from safetensors.torch import load_file, save_file

    weights = load_file(checkpoint)
    save_file(_lora(weights), comfyui / "models" / "loras" / f"{checkpoint.stem}-lora.safetensors")
    save_file(_control(weights), comfyui / "models" / "controlnet" / f"{checkpoint.stem}-control.safetensors")
    folder = comfyui / "models" / "diffusion_models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / checkpoint.name).unlink(missing_ok=True)
    (folder / checkpoint.name).symlink_to(checkpoint)
    if any(name.startswith(_TEXT[0]) for name in weights):
        save_file(_inpainting(weights), folder / f"{checkpoint.stem}-inpaint.safetensors")


def _lora(weights: dict[str, Any]) -> dict[str, Any]:
    import torch

    draw = torch.Generator().manual_seed(3)
    found: dict[str, Any] = {}
    for name, key in _attention(weights):
        rows, columns = weights[name].shape
        found[f"{key}.lora_up.weight"] = torch.randn(rows, 4, generator=draw).half() * 0.05
        found[f"{key}.lora_down.weight"] = torch.randn(4, columns, generator=draw).half() * 0.05
    return found


def _attention(weights: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The queries' matrices of the UNet, then of the text encoder, with their names in a LoRA."""
    for name in (name for name in weights if name.startswith(_UNET) and name.endswith("to_q.weight")):
        yield name, "diffusion_model." + name.removeprefix(_UNET).removesuffix(".weight")
    for prefix in _TEXT:
        for name in (name for name in weights if name.startswith(prefix) and name.endswith("self_attn.q_proj.weight")):
            yield name, "text_encoders.clip_l." + name.removeprefix(prefix).removesuffix(".weight")


def _inpainting(weights: dict[str, Any]) -> dict[str, Any]:
    """The UNet with random weights for five further channels: the mask, and the picture's latent."""
    import torch

    found = {name: value for name, value in weights.items() if name.startswith(_UNET)}
    name = _UNET + "input_blocks.0.0.weight"
    draw = torch.Generator().manual_seed(5)
    more = torch.randn(found[name].shape[0], 5, *found[name].shape[2:], generator=draw) * 0.05
    return found | {name: torch.cat([found[name], more.to(found[name].dtype)], dim=1)}


def _control(weights: dict[str, Any]) -> dict[str, Any]:
    """The UNet's own first half, and random weights for what a ControlNet has besides."""
    import comfy.cldm.cldm
    import comfy.model_detection
    import comfy.ops
    import torch

    config = comfy.model_detection.model_config_from_unet(weights, _UNET).unet_config
    for name in ("out_channels", "transformer_depth_output", "image_model"):
        config.pop(name, None)
    config |= {"hint_channels": 3, "dtype": torch.float16, "operations": comfy.ops.disable_weight_init, "device": "meta"}
    control = comfy.cldm.cldm.ControlNet(**config)
    draw = torch.Generator().manual_seed(4)
    return {name: _filled(name, value, weights, draw) for name, value in control.state_dict().items()}


def _filled(name: str, value: Any, weights: dict[str, Any], draw: Any) -> Any:
    import torch

    if (known := weights.get(_UNET + name)) is not None and known.shape == value.shape:
        return known.half().clone()
    if value.ndim <= 1:
        return torch.zeros(value.shape, dtype=torch.float16)
    return (torch.randn(value.shape, generator=draw) * (0.3 / value[0].numel() ** 0.5)).half()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
