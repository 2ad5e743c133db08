"""Graphs of the exact mode's matrix: samplers by what takes part, for a checkpoint of SD1.5's or SDXL's layout."""

import copy
from collections.abc import Callable
from typing import Any

from comfyd.protocol import Graph
from tests.bench.sides import Work

LOADER, POSITIVE, NEGATIVE, LATENT, SAMPLER, DECODE = "1", "2", "3", "4", "5", "6"
SIZE, STEPS = 256, 6


def plain(checkpoint: str, **sampler: Any) -> Graph:
    """Text to image, with the latent saved beside the picture."""
    graph = copy.deepcopy(Work.checkpoint(checkpoint, SIZE, STEPS).seeded(1, **sampler))
    graph["9"] = {"class_type": "SaveLatent", "inputs": {"samples": [SAMPLER, 0], "filename_prefix": "latent"}}
    return graph


def lora(graph: Graph, strength: float = 1.0) -> Graph:
    graph["20"] = {
        "class_type": "LoraLoaderModelOnly",
        "inputs": {"model": [LOADER, 0], "lora_name": _kind(graph) + "-lora.safetensors", "strength_model": strength},
    }
    graph[SAMPLER]["inputs"]["model"] = ["20", 0]
    return graph


def weaker_lora(graph: Graph) -> Graph:
    return lora(graph, 0.5)


def text_lora(graph: Graph, strength: float = 1.0) -> Graph:
    """The LoRA on the diffusion model and on the text encoder of both texts."""
    graph["31"] = {
        "class_type": "LoraLoader",
        "inputs": {
            "model": [LOADER, 0],
            "clip": [LOADER, 1],
            "lora_name": _kind(graph) + "-lora.safetensors",
            "strength_model": strength,
            "strength_clip": strength,
        },
    }
    graph[SAMPLER]["inputs"]["model"] = ["31", 0]
    for text in (POSITIVE, NEGATIVE):
        graph[text]["inputs"]["clip"] = ["31", 1]
    return graph


def control(graph: Graph) -> Graph:
    """A ControlNet that holds for the first two thirds of the steps."""
    graph["21"] = {"class_type": "ControlNetLoader", "inputs": {"control_net_name": _kind(graph) + "-control.safetensors"}}
    graph["22"] = {"class_type": "EmptyImage", "inputs": {"width": SIZE, "height": SIZE, "batch_size": 1, "color": 0x3080C0}}
    graph["23"] = {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {
            "positive": [POSITIVE, 0],
            "negative": [NEGATIVE, 0],
            "control_net": ["21", 0],
            "image": ["22", 0],
            "strength": 0.8,
            "start_percent": 0.0,
            "end_percent": 0.66,
        },
    }
    graph[SAMPLER]["inputs"] |= {"positive": ["23", 0], "negative": ["23", 1]}
    return graph


def batch(graph: Graph) -> Graph:
    graph[LATENT]["inputs"]["batch_size"] = 3
    return graph


def inpaint(graph: Graph) -> Graph:
    graph["24"] = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": SIZE // 2, "height": SIZE}}
    graph["25"] = {"class_type": "SetLatentNoiseMask", "inputs": {"samples": [LATENT, 0], "mask": ["24", 0]}}
    graph[SAMPLER]["inputs"] |= {"latent_image": ["25", 0], "denoise": 0.8}
    return graph


def outpaint(graph: Graph, colour: int = 0x3080C0, masked: bool = True) -> Graph:
    """A picture with a border around it, encoded; where it is ``masked`` only the border is made anew."""
    picture = {"width": SIZE // 2, "height": SIZE // 2, "batch_size": 1, "color": colour}
    border = {side: SIZE // 4 for side in ("left", "top", "right", "bottom")}
    graph["32"] = {"class_type": "EmptyImage", "inputs": picture}
    graph["33"] = {"class_type": "ImagePadForOutpaint", "inputs": {"image": ["32", 0], "feathering": 24} | border}
    encoded = {"pixels": ["33", 0], "vae": [LOADER, 2]}
    if masked:
        graph["34"] = {"class_type": "VAEEncodeForInpaint", "inputs": encoded | {"mask": ["33", 1], "grow_mask_by": 6}}
    else:
        graph["34"] = {"class_type": "VAEEncode", "inputs": encoded}
    graph[SAMPLER]["inputs"] |= {"latent_image": ["34", 0], "denoise": 1.0 if masked else 0.8}
    return graph


def area(graph: Graph) -> Graph:
    """Two texts, one of them for a part of the picture: model calls of another shape."""
    graph["26"] = {"class_type": "CLIPTextEncode", "inputs": {"text": "a house", "clip": [LOADER, 1]}}
    graph["27"] = {
        "class_type": "ConditioningSetArea",
        "inputs": {"conditioning": ["26", 0], "width": SIZE // 2, "height": SIZE, "x": 64, "y": 0, "strength": 1.0},
    }
    graph["28"] = {
        "class_type": "ConditioningCombine",
        "inputs": {"conditioning_1": [POSITIVE, 0], "conditioning_2": ["27", 0]},
    }
    graph[SAMPLER]["inputs"]["positive"] = ["28", 0]
    return graph


def cfg_1(graph: Graph) -> Graph:
    graph[SAMPLER]["inputs"]["cfg"] = 1.0
    return graph


def freeu(graph: Graph) -> Graph:
    """A patch known to be pure."""
    inputs = {"model": [LOADER, 0], "b1": 1.3, "b2": 1.4, "s1": 0.9, "s2": 0.2}
    graph["29"] = {"class_type": "FreeU_V2", "inputs": inputs}
    graph[SAMPLER]["inputs"]["model"] = ["29", 0]
    return graph


def hypertile(graph: Graph) -> Graph:
    """A patch that draws random numbers."""
    inputs = {"model": [LOADER, 0], "tile_size": 256, "swap_size": 2, "max_depth": 0, "scale_depth": False}
    graph["30"] = {"class_type": "HyperTile", "inputs": inputs}
    graph[SAMPLER]["inputs"]["model"] = ["30", 0]
    return graph


def bypass_lora(graph: Graph) -> Graph:
    """The LoRA beside the diffusion model and the text encoder, injected into them and not merged."""
    graph = text_lora(graph)
    graph["31"]["class_type"] = "LoraLoaderBypass"
    return graph


def timed_lora(graph: Graph) -> Graph:
    """A hook that has the LoRA on both for the first half of the steps."""
    names = {"lora_name": _kind(graph) + "-lora.safetensors", "strength_model": 1.0, "strength_clip": 1.0}
    graph["40"] = {"class_type": "CreateHookLora", "inputs": names}
    graph["41"] = {"class_type": "CreateHookKeyframe", "inputs": {"strength_mult": 1.0, "start_percent": 0.0}}
    later = {"strength_mult": 0.0, "start_percent": 0.5, "prev_hook_kf": ["41", 0]}
    graph["42"] = {"class_type": "CreateHookKeyframe", "inputs": later}
    graph["43"] = {"class_type": "SetHookKeyframes", "inputs": {"hooks": ["40", 0], "hook_kf": ["42", 0]}}
    hooked = {"clip": [LOADER, 1], "apply_to_conds": True, "schedule_clip": False, "hooks": ["43", 0]}
    graph["44"] = {"class_type": "SetClipHooks", "inputs": hooked}
    for text in (POSITIVE, NEGATIVE):
        graph[text]["inputs"]["clip"] = ["44", 0]
    return graph


def v_prediction(graph: Graph) -> Graph:
    """Another sampling, of a class that a node of ComfyUI's makes."""
    return _sampled(graph, "v_prediction")


def distilled(graph: Graph) -> Graph:
    """Another sampling with a table of another length."""
    graph[SAMPLER]["inputs"]["sampler_name"] = "lcm"
    return _sampled(graph, "lcm")


def _sampled(graph: Graph, sampling: str) -> Graph:
    inputs = {"model": [LOADER, 0], "sampling": sampling, "zsnr": False}
    graph["45"] = {"class_type": "ModelSamplingDiscrete", "inputs": inputs}
    graph[SAMPLER]["inputs"]["model"] = ["45", 0]
    return graph


def fp8(graph: Graph) -> Graph:
    """The diffusion model's weights in eight bits; the checkpoint lies among the diffusion models too."""
    inputs = {"unet_name": _kind(graph) + ".safetensors", "weight_dtype": "fp8_e4m3fn"}
    graph["46"] = {"class_type": "UNETLoader", "inputs": inputs}
    graph[SAMPLER]["inputs"]["model"] = ["46", 0]
    return graph


def inpaint_model(graph: Graph) -> Graph:
    """A diffusion model that is given the picture and the mask beside the latent."""
    graph = outpaint(graph)
    inputs = {"unet_name": _kind(graph) + "-inpaint.safetensors", "weight_dtype": "default"}
    graph["46"] = {"class_type": "UNETLoader", "inputs": inputs}
    both = {"positive": [POSITIVE, 0], "negative": [NEGATIVE, 0], "noise_mask": True}
    picture = {"vae": [LOADER, 2], "pixels": ["33", 0], "mask": ["33", 1]}
    graph["34"] = {"class_type": "InpaintModelConditioning", "inputs": both | picture}
    given = {"model": ["46", 0], "positive": ["34", 0], "negative": ["34", 1], "latent_image": ["34", 2]}
    graph[SAMPLER]["inputs"] |= given
    return graph


def latent_only(graph: Graph) -> Graph:
    """Without its picture."""
    gone = {DECODE} | {name for name, node in graph.items() if [DECODE, 0] in node["inputs"].values()}
    return {name: node for name, node in graph.items() if name not in gone}


VARIANTS: list[Callable[[Graph], Graph]] = [lora, weaker_lora, control, batch, inpaint, outpaint, area, cfg_1, freeu, hypertile]
EAGER: list[Callable[[Graph], Graph]] = [bypass_lora, timed_lora]
"""What must not be replayed."""
OTHER_MODELS: list[Callable[[Graph], Graph]] = [fp8, inpaint_model]
SAMPLINGS: list[Callable[[Graph], Graph]] = [v_prediction, distilled]


def _kind(graph: Graph) -> str:
    return str(graph[LOADER]["inputs"]["ckpt_name"]).removesuffix(".safetensors")
