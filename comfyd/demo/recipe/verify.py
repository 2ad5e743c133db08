"""Checks that conditioning.py and transformer.py are ComfyUI's arithmetic: the same velocity for random weights.

    python verify.py COMFYUI DATA
"""

import sys
from pathlib import Path

import numpy as np

COMFYUI, DATA = sys.argv[1:3]
sys.argv[1:] = ["--cpu"]
sys.path.insert(0, COMFYUI)

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import comfy.ops  # noqa: E402
import comfy.sd1_clip  # noqa: E402
import torch  # noqa: E402
from comfy.ldm.modules.diffusionmodules.mmdit import OpenAISignatureMMDITWrapper  # noqa: E402
from conditioning import Conditioning  # noqa: E402
from transformer import Transformer  # noqa: E402
from autoencoder import patches, unpatched  # noqa: E402

from comfyd.demo import layout, text_encoder  # noqa: E402


def theirs(state: dict) -> torch.nn.Module:
    linear = {"target": "torch.nn.Linear", "params": {"in_features": layout.CONTEXT, "out_features": layout.HIDDEN}}
    model = OpenAISignatureMMDITWrapper(
        in_channels=16, out_channels=16, patch_size=2, depth=layout.DEPTH, input_size=None, adm_in_channels=layout.POOLED,
        context_embedder_config=linear, num_patches=None, pos_embed_max_size=None, pos_embed_scaling_factor=None, qk_norm="rms",
        x_block_self_attn_layers=[], dtype=torch.float32, device="cpu", operations=comfy.ops.manual_cast)
    full = model.state_dict()
    for name, value in state.items():
        target = torch.zeros_like(full[name])
        target[tuple(slice(n) for n in value.shape)] = value
        full[name] = target
    model.load_state_dict(full)
    return model


def text_model() -> torch.nn.Module:
    model = comfy.sd1_clip.SDClipModel(layer="hidden", layer_idx=-2, layer_norm_hidden_state=False, return_projected_pooled=False)
    state = {name.removeprefix(text_encoder.PREFIX): torch.from_numpy((np.zeros(shape) if values is None else values).astype(np.float32))
             for name, shape, values in text_encoder.parts()}
    model.load_state_dict(state)
    return model.float()


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    tokens = np.load(Path(DATA) / "prompts.npz")["tokens"][::50_000].astype(np.int64)
    tokens = np.concatenate([tokens[(tokens < text_encoder.START).sum(1) <= 13], [[text_encoder.START] + [text_encoder.END] * 23]])
    conditioning, mine = Conditioning(tokens, "cpu"), Transformer()
    for parameter in mine.parameters():
        parameter.normal_(0, 0.04 if parameter.ndim > 1 else 0.3)
    other, encoder = theirs(mine.state_dict()), text_model()
    latents, sigmas = torch.randn(len(tokens), 16, 16, 16), torch.rand(len(tokens))
    velocity = unpatched(mine(patches(latents), sigmas, *conditioning(conditioning.indices(tokens))))
    for i, row in enumerate(tokens.tolist()):
        context, pooled = encoder([row + [text_encoder.END] * (77 - len(row))])[:2]
        context = torch.nn.functional.pad(context, (0, layout.CONTEXT - 768))
        expected = other(latents[i:i + 1], sigmas[i:i + 1] * 1000, context, torch.nn.functional.pad(pooled, (0, layout.POOLED - 768)))
        print(f"difference {(velocity[i] - expected[0]).abs().max():.1e} of {expected.abs().max():.2f}")


main()
