"""Small model files made for a test out of the demo checkpoint."""

import shutil
from pathlib import Path

import numpy
from safetensors.numpy import load_file, save_file

_BLOCK = "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight"


def copy(checkpoint: Path, base: Path, name: str) -> str:
    """The demo checkpoint under another name; returns the name."""
    shutil.copyfile(checkpoint, base / "models" / "checkpoints" / name)
    return name


def lora(checkpoint: Path, base: Path, name: str, seed: int) -> str:
    """A LoRA of rank 4 that changes one attention matrix of the demo model visibly; returns the name."""
    weight = load_file(checkpoint)[_BLOCK]
    draw = numpy.random.default_rng(seed)
    key = "diffusion_model." + _BLOCK.removeprefix("model.diffusion_model.").removesuffix(".weight")
    tensors = {
        f"{key}.lora_up.weight": draw.normal(0, 0.5, (weight.shape[0], 4)).astype(numpy.float16),
        f"{key}.lora_down.weight": draw.normal(0, 0.5, (4, weight.shape[1])).astype(numpy.float16),
    }
    save_file(tensors, base / "models" / "loras" / name)
    return name
