"""API graphs of the well-known examples that people begin with, written by hand: fresh ones at every call."""

from typing import Any

from comfyd.protocol import Graph


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    """A node; links are ``("1", 0)``."""
    meta = {"_meta": {"title": title}} if title else {}
    return {"class_type": class_type, "inputs": {k: list(v) if isinstance(v, tuple) else v for k, v in inputs.items()}, **meta}


def _sampler(model: str, latent: tuple[str, int], title: str = "", **more: Any) -> dict[str, Any]:
    usual = {"seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    links = {"model": (model, 0), "positive": ("6", 0), "negative": ("7", 0), "latent_image": latent}
    return node("KSampler", title, **(usual | links | more))


def text_to_image() -> Graph:
    return {
        "4": node("CheckpointLoaderSimple", ckpt_name="sd15.safetensors"),
        "5": node("EmptyLatentImage", width=512, height=512, batch_size=1),
        "6": node("CLIPTextEncode", text="a bottle", clip=("4", 1)),
        "7": node("CLIPTextEncode", text="watermark", clip=("4", 1)),
        "3": _sampler("4", ("5", 0)),
        "8": node("VAEDecode", samples=("3", 0), vae=("4", 2)),
        "9": node("SaveImage", images=("8", 0), filename_prefix="ComfyUI"),
    }


def image_to_image() -> Graph:
    graph = text_to_image()
    graph["10"] = node("LoadImage", image="example.png")
    graph["5"] = node("VAEEncode", pixels=("10", 0), vae=("4", 2))
    return graph


def inpaint() -> Graph:
    graph = text_to_image()
    graph["10"] = node("LoadImage", image="example.png")
    graph["11"] = node("LoadImageMask", image="example.png", channel="alpha")
    graph["5"] = node("VAEEncodeForInpaint", pixels=("10", 0), vae=("4", 2), mask=("11", 0), grow_mask_by=6)
    return graph


def hires_fix() -> Graph:
    graph = text_to_image()
    graph["10"] = node(
        "LatentUpscale", samples=("3", 0), upscale_method="nearest-exact", width=1024, height=1024, crop="disabled"
    )
    graph["11"] = _sampler("4", ("10", 0), "Hi-Res pass", seed=2, denoise=0.5)
    graph["8"]["inputs"]["samples"] = ["11", 0]
    return graph


def base_and_refiner() -> Graph:
    """SDXL: the refiner goes on with the noise that the base leaves."""
    graph = text_to_image()
    usual = {"steps": 25, "cfg": 8.0, "sampler_name": "euler", "scheduler": "normal"}
    graph["12"] = node("CheckpointLoaderSimple", ckpt_name="sdxl/base.safetensors")
    graph["15"] = node("CLIPTextEncode", text="a bottle", clip=("12", 1))
    graph["16"] = node("CLIPTextEncode", text="watermark", clip=("12", 1))
    graph["3"] = node(
        "KSamplerAdvanced",
        "KSampler (Advanced) - BASE",
        **usual,
        **{"add_noise": "enable", "noise_seed": 1, "start_at_step": 0, "end_at_step": 20, "return_with_leftover_noise": "enable"},
        model=("4", 0),
        positive=("6", 0),
        negative=("7", 0),
        latent_image=("5", 0),
    )
    graph["11"] = node(
        "KSamplerAdvanced",
        "KSampler (Advanced) - REFINER",
        **usual,
        **{"add_noise": "disable", "noise_seed": 0, "start_at_step": 20, "end_at_step": 10000},
        return_with_leftover_noise="disable",
        model=("12", 0),
        positive=("15", 0),
        negative=("16", 0),
        latent_image=("3", 0),
    )
    graph["8"]["inputs"]["samples"] = ["11", 0]
    return graph


def controlnet() -> Graph:
    graph = text_to_image()
    graph["10"] = node("LoadImage", image="example.png")
    graph["12"] = node("ControlNetLoader", control_net_name="canny.safetensors")
    graph["13"] = node("ControlNetApply", strength=1.0, conditioning=("6", 0), control_net=("12", 0), image=("10", 0))
    graph["3"]["inputs"]["positive"] = ["13", 0]
    return graph


def two_loras() -> Graph:
    graph = text_to_image()
    graph["10"] = node(
        "LoraLoader", model=("4", 0), clip=("4", 1), lora_name="style.safetensors", strength_model=1.0, strength_clip=1.0
    )
    graph["11"] = node("LoraLoaderModelOnly", model=("10", 0), lora_name="detail.safetensors", strength_model=0.5)
    graph["3"]["inputs"]["model"] = ["11", 0]
    for text in ("6", "7"):
        graph[text]["inputs"]["clip"] = ["10", 1]
    return graph


def flux() -> Graph:
    """SamplerCustomAdvanced with its parts in nodes of their own."""
    return {
        "1": node("UNETLoader", unet_name="flux1-dev.safetensors", weight_dtype="default"),
        "2": node("DualCLIPLoader", clip_name1="clip_l.safetensors", clip_name2="t5xxl.safetensors", type="flux"),
        "3": node("VAELoader", vae_name="ae.safetensors"),
        "6": node("CLIPTextEncode", text="a bottle", clip=("2", 0)),
        "7": node("FluxGuidance", conditioning=("6", 0), guidance=3.5),
        "8": node("EmptySD3LatentImage", width=1024, height=1024, batch_size=1),
        "10": node("RandomNoise", noise_seed=7),
        "11": node("KSamplerSelect", sampler_name="euler"),
        "12": node("BasicScheduler", model=("1", 0), scheduler="simple", steps=20, denoise=1.0),
        "13": node("BasicGuider", model=("1", 0), conditioning=("7", 0)),
        "14": node(
            "SamplerCustomAdvanced",
            noise=("10", 0),
            guider=("13", 0),
            sampler=("11", 0),
            sigmas=("12", 0),
            latent_image=("8", 0),
        ),
        "15": node("VAEDecode", samples=("14", 0), vae=("3", 0)),
        "9": node("SaveImage", images=("15", 0), filename_prefix="ComfyUI"),
    }


def two_stages_of_sigmas() -> Graph:
    """Flux in two samplers that share noise and schedule, as with SplitSigmas and DisableNoise."""
    graph = flux()
    graph["20"] = node("SplitSigmas", sigmas=("12", 0), step=10)
    graph["21"] = node("DisableNoise")
    graph["22"] = node(
        "SamplerCustomAdvanced", noise=("21", 0), guider=("13", 0), sampler=("11", 0), sigmas=("20", 1), latent_image=("14", 0)
    )
    graph["14"]["inputs"]["sigmas"] = ["20", 0]
    graph["15"]["inputs"]["samples"] = ["22", 0]
    return graph


def sd3() -> Graph:
    graph = text_to_image()
    graph["1"] = node(
        "TripleCLIPLoader",
        clip_name1="clip_l.safetensors",
        clip_name2="clip_g.safetensors",
        clip_name3="t5.safetensors",
    )
    graph["2"] = node("ModelSamplingSD3", model=("4", 0), shift=3.0)
    graph["10"] = node("ConditioningZeroOut", conditioning=("6", 0))
    graph["6"]["inputs"]["clip"] = ["1", 0]
    graph["3"]["inputs"].update(model=["2", 0], negative=["10", 0])
    del graph["7"]
    return graph


def wan_image_to_video() -> Graph:
    graph = text_to_image()
    graph["1"] = node("UNETLoader", unet_name="flux1-dev.safetensors", weight_dtype="default")
    graph["2"] = node("CLIPLoader", clip_name="umt5.safetensors", type="wan")
    graph["12"] = node("VAELoader", vae_name="ae.safetensors")
    graph["10"] = node("LoadImage", image="example.png")
    graph["5"] = node(
        "WanImageToVideo",
        **{"positive": ("6", 0), "negative": ("7", 0), "vae": ("12", 0), "start_image": ("10", 0)},
        **{"width": 832, "height": 480, "length": 81, "batch_size": 1},
    )
    graph["3"]["inputs"].update(model=["1", 0], positive=["5", 0], negative=["5", 1], latent_image=["5", 2])
    for text in ("6", "7"):
        graph[text]["inputs"]["clip"] = ["2", 0]
    graph["8"]["inputs"]["vae"] = ["12", 0]
    del graph["4"]
    return graph


def song() -> Graph:
    graph = text_to_image()
    graph["10"] = node("LoadAudio", audio="song.mp3")
    graph["5"] = node("EmptyAceStepLatentAudio", seconds=120.0, batch_size=1)
    graph["6"] = node("TextEncodeAceStepAudio", clip=("4", 1), tags="pop", lyrics="la la", lyrics_strength=1.0)
    graph["7"] = node("ConditioningZeroOut", conditioning=("6", 0))
    graph["8"] = node("VAEDecodeAudio", samples=("3", 0), vae=("4", 2))
    graph["9"] = node("SaveAudioMP3", audio=("8", 0), filename_prefix="audio/x", quality="V0")
    return graph


def service() -> Graph:
    """A node that asks a service, and no sampler."""
    return {
        "1": node("LoadImage", image="example.png"),
        "2": node("GeminiImage2Node", prompt="a bottle", model="nano-banana-pro", seed=3, images=("1", 0), aspect_ratio="auto"),
        "3": node("SaveImage", images=("2", 0), filename_prefix="x"),
    }


def side_by_side() -> Graph:
    graph = text_to_image()
    graph["10"] = _sampler("4", ("5", 0), seed=2)
    graph["11"] = node("VAEDecode", samples=("10", 0), vae=("4", 2))
    graph["12"] = node("SaveImage", images=("11", 0), filename_prefix="y")
    return graph


def switched() -> Graph:
    """The prompt comes through a switch, from a text that a boolean node chooses."""
    graph = text_to_image()
    graph["10"] = node("PrimitiveBoolean", value=True)
    graph["11"] = node("PrimitiveStringMultiline", value="when off")
    graph["12"] = node("PrimitiveStringMultiline", value="when on")
    graph["13"] = node("ComfySwitchNode", switch=("10", 0), on_false=("11", 0), on_true=("12", 0))
    graph["6"]["inputs"]["text"] = ["13", 0]
    return graph
