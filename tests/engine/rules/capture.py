"""Run as a process: small models of every kind that becomes graphs, on a GPU that need not be there, watched as before a capture.

``python -m tests.engine.rules.capture COMFYUI`` prints, for each, what a graph would freeze, as JSON; empty: nothing.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["--cpu", "--use-pytorch-cross-attention"]
import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()
import comfy.ops  # noqa: E402
import comfy.sd  # noqa: E402
import torch  # noqa: E402
from comfy.text_encoders import llama  # noqa: E402
from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402

from comfyd.worker.graphs import modules  # noqa: E402
from comfyd.worker.graphs.audit import Watch  # noqa: E402

HALF = torch.float16
MADE: dict[str, Any] = {"dtype": HALF, "device": "cuda", "operations": comfy.ops.manual_cast}
SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 10}

Case = tuple[Callable[[], Any], Callable[[Any], Any]]


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=HALF, device="cuda")


def controls() -> Iterator[tuple[str, Case]]:
    import comfy.cldm.cldm
    import comfy.cldm.mmdit
    import comfy.ldm.flux.controlnet

    unet: dict[str, Any] = {"image_size": 32, "in_channels": 4, "hint_channels": 3, "model_channels": 32, "num_res_blocks": 1}
    unet |= {"channel_mult": [1, 2], "num_heads": 2, "use_spatial_transformer": True, "context_dim": 32}
    unet |= {"transformer_depth": [1, 1], "transformer_depth_middle": 1}
    context: dict[str, Any] = {"timesteps": zeros(2), "context": zeros(2, 7, 32)}
    yield (
        "ControlNet",
        (
            lambda: comfy.cldm.cldm.ControlNet(**unet, **MADE),
            lambda model: model(x=zeros(2, 4, 8, 8), hint=zeros(2, 3, 64, 64), **context),
        ),
    )
    latents = {"x": zeros(2, 16, 8, 8), "hint": zeros(2, 16, 8, 8), "y": zeros(2, 16)}
    embedder = {"target": "torch.nn.Linear", "params": {"in_features": 32, "out_features": 64}}
    mmdit = {"num_blocks": 1, "input_size": None, "depth": 1, "in_channels": 16, "pos_embed_max_size": 32, "adm_in_channels": 16}
    yield (
        "ControlNet of SD3",
        (
            lambda: comfy.cldm.mmdit.ControlNet(**mmdit, context_embedder_config=embedder, control_latent_channels=16, **MADE),
            lambda model: model(**latents, **context),
        ),
    )
    flux: dict[str, Any] = {"in_channels": 16, "out_channels": 16, "vec_in_dim": 16, "context_in_dim": 32, "hidden_size": 64}
    flux |= {"mlp_ratio": 4.0, "num_heads": 2, "depth": 1, "depth_single_blocks": 1, "axes_dim": [8, 12, 12], "theta": 10000}
    flux |= {"patch_size": 2, "qkv_bias": True, "guidance_embed": True, "txt_ids_dims": []}
    yield (
        "ControlNetFlux",
        (
            lambda: comfy.ldm.flux.controlnet.ControlNetFlux(latent_input=True, **flux, **MADE),
            lambda model: model(**latents, **context, guidance=zeros(2)),
        ),
    )


def encoders() -> Iterator[tuple[str, Case]]:
    import comfy.clip_model
    import comfy.text_encoders.t5

    clip = SMALL | {"hidden_act": "quick_gelu", "max_position_embeddings": 77, "eos_token_id": 9}
    tokens = torch.zeros(1, 77, dtype=torch.long, device="cuda")
    yield "CLIPEncoder", (lambda: comfy.clip_model.CLIPTextModel(clip, **MADE), lambda model: model(tokens, None))
    t5 = {"num_layers": 2, "d_model": 64, "d_kv": 32, "d_ff": 64, "num_heads": 2, "vocab_size": 10, "is_gated_act": True}
    t5 |= {"dense_act_fn": "gelu_pytorch_tanh", "model_type": "t5"}
    yield "T5Stack", (lambda: comfy.text_encoders.t5.T5(t5, **MADE), lambda model: model(tokens, None))
    reading: dict[str, Any] = {"attention_mask": tokens[:, :9] + 1, "embeds": zeros(1, 9, 64), "num_tokens": [9], "dtype": HALF}
    reading |= {"intermediate_output": -2, "final_layer_norm_intermediate": False}
    for config in (
        llama.Llama2Config,
        llama.Gemma2_2B_Config,
        llama.Gemma3_4B_Config,
        llama.Qwen3_4BConfig,
        llama.Qwen25_7BVLI_Config,
    ):
        yield f"Llama2_ of {config.__name__}", (lambda config=config: language(config), lambda model: model(None, **reading))


def language(config: Callable[[], Any]) -> Any:
    small = config()
    for name, value in (SMALL | {"num_key_value_heads": 1, "head_dim": 32}).items():
        setattr(small, name, value)
    small.rope_dims = [4, 6, 6] if small.rope_dims else None
    return llama.Llama2_(small, dtype=HALF, device="cuda", ops=comfy.ops.manual_cast)


def autoencoders() -> Iterator[tuple[str, Case]]:
    import comfy.ldm.models.autoencoder
    import comfy.ldm.wan.vae
    import comfy.taesd.taesd

    layout: dict[str, Any] = {"double_z": True, "z_channels": 4, "resolution": 64, "in_channels": 3, "out_ch": 3, "ch": 32}
    layout |= {"ch_mult": [1, 2], "num_res_blocks": 1, "attn_resolutions": [], "dropout": 0.0}
    makers: dict[str, tuple[Callable[[], Any], Callable[..., torch.Tensor]]] = {
        "AutoencoderKL": (lambda: comfy.ldm.models.autoencoder.AutoencoderKL(embed_dim=4, ddconfig=layout), zeros),
        "TAESD": (lambda: tiny(comfy.taesd.taesd.TAESD), zeros),
        "WanVAE": (lambda: comfy.ldm.wan.vae.WanVAE(dim=16, z_dim=4), lambda b, c, h, w: zeros(b, c, 1, h, w)),
    }
    for name, (make, given) in makers.items():
        yield f"{name}.decode", (make, lambda model, given=given: model.decode(given(1, 4, 8, 8)))
        yield f"{name}.encode", (make, lambda model, given=given: model.encode(given(1, 3, 64, 64)))


def tiny(kind: Callable[..., torch.nn.Module]) -> torch.nn.Module:
    """One that makes constants, which are not made on a GPU that is not there."""
    with torch.device("cpu"):
        made = kind(latent_channels=4)
    for part in made.modules():
        for name, weight in part._parameters.items():
            if weight is not None:
                part._parameters[name] = torch.nn.Parameter(zeros(*weight.shape))
    return made


def reader() -> Case:
    """A module that no graph could repeat."""
    return lambda: torch.nn.Linear(4, 4), lambda model: model(zeros(1, 4)) if zeros(1).cpu().numel() else None


def frozen(case: Case, reached: set[str]) -> str:
    """What the watch before a capture finds; adds the methods that were called to ``reached``."""
    make, call = case
    model, watch = make(), Watch()
    with watch:
        call(model)
    return watch.found


def main() -> dict[str, Any]:
    reached: set[str] = set()
    for method in modules.methods():
        setattr(method.kind, method.name, noting(method, reached))
    torch.set_default_dtype(HALF)
    with torch.inference_mode(), FakeTensorMode(), torch.device("cuda"):
        cases = dict(controls()) | dict(encoders()) | dict(autoencoders())
        found = {name: frozen(case, reached) for name, case in cases.items()}
        control = frozen(reader(), reached)
    return {"found": found, "control": control, "reached": sorted(reached), "methods": sorted(map(title, modules.methods()))}


def noting(method: modules.Method, reached: set[str]) -> Callable[..., Any]:
    original = getattr(method.kind, method.name)

    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if method.takes(args, kwargs):
            reached.add(title(method))
        return original(self, *args, **kwargs)

    return noted


def title(method: modules.Method) -> str:
    return f"{method.kind.__module__}.{method.kind.__name__}.{method.name}"


if __name__ == "__main__":
    print(json.dumps(main()))
