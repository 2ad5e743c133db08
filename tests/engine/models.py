"""Small model files made for a test out of the demo checkpoint."""

import shutil
from pathlib import Path

import numpy
from safetensors.numpy import load_file, save_file

_BLOCK = "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight"
_TEXT = "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.out_proj.weight"


def copy(checkpoint: Path, base: Path, name: str) -> str:
    """The demo checkpoint under another name; returns the name."""
    shutil.copyfile(checkpoint, base / "models" / "checkpoints" / name)
    return name


def lora(checkpoint: Path, base: Path, name: str, seed: int) -> str:
    """A LoRA of rank 4 that visibly changes an attention matrix of the demo model, and one of its text encoder; its name."""
    weights = load_file(checkpoint)
    draw = numpy.random.default_rng(seed)
    keys = {"diffusion_model." + _BLOCK.removeprefix("model.diffusion_model."): _BLOCK, _TEXT: _TEXT}
    tensors = {}
    for key, block in keys.items():
        rows, columns = weights[block].shape
        tensors[key.replace(".weight", ".lora_up.weight")] = draw.normal(0, 0.5, (rows, 4)).astype(numpy.float16)
        tensors[key.replace(".weight", ".lora_down.weight")] = draw.normal(0, 0.5, (4, columns)).astype(numpy.float16)
    save_file(tensors, base / "models" / "loras" / name)
    return name
