"""A workflow as the editor saves it, run by the whole: its picture carries what made it and can be run again."""

from pathlib import Path
from typing import Any

from comfyd.client import Client
from comfyd.protocol import Submit
from comfyd.workflow import load
from tests.unit.workflow.convert.saved import Canvas

from .test_whole import client, whole
from .worker import done

__all__ = ["client", "whole"]


def editor_s_demo() -> dict[str, Any]:
    """The demo workflow, small and short, in UI form."""
    canvas = Canvas()
    canvas.node(1, "CheckpointLoaderSimple", [], ["comfyd-demo.safetensors"], outputs=[{"name": "MODEL", "type": "MODEL"}])
    canvas.node(2, "CLIPTextEncode", ["clip:CLIP", "text="], ["blue bird"], title="Prompt")
    canvas.node(3, "CLIPTextEncode", ["clip:CLIP", "text="], [""])
    canvas.node(4, "EmptySD3LatentImage", ["width=", "height="], [64, 64, 1])
    sampler = ["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING", "latent_image:LATENT", "seed="]
    canvas.node(5, "KSampler", sampler, [1, "randomize", 2, 3.0, "euler", "simple", 1.0])
    canvas.node(6, "VAEDecode", ["samples:LATENT", "vae:VAE"])
    canvas.node(7, "SaveImage", ["images:IMAGE"], ["editor"])
    canvas.node(8, "Note", [], ["größer 図"])
    for origin, slot, target, name, type_ in (
        (1, 1, 2, "clip", "CLIP"),
        (1, 1, 3, "clip", "CLIP"),
        (1, 0, 5, "model", "MODEL"),
        (2, 0, 5, "positive", "CONDITIONING"),
        (3, 0, 5, "negative", "CONDITIONING"),
        (4, 0, 5, "latent_image", "LATENT"),
        (5, 0, 6, "samples", "LATENT"),
        (1, 2, 6, "vae", "VAE"),
        (6, 0, 7, "images", "IMAGE"),
    ):
        canvas.link(origin, slot, target, name, type_)
    return canvas.workflow()


def test_the_picture_of_a_run_is_that_run(client: Client) -> None:
    ui = editor_s_demo()
    first = done(client.call(Submit(ui=ui, words=["prompt", "red", "apple", "seed", "42"])))
    made = load(first.files[0])
    assert made.api is not None
    assert made.ui is not None
    assert (made.api["2"]["inputs"]["text"], made.api["5"]["inputs"]["seed"]) == ("red apple", 42)
    values = {node["id"]: node.get("widgets_values") for node in made.ui["nodes"]}
    assert values[2] == ["red apple"]
    assert values[5] == [42, "randomize", 2, 3.0, "euler", "simple", 1.0]
    assert values[8] == ["größer 図"]
    assert Path(first.files[0]).name.startswith("editor_")
    again = done(client.call(Submit(api=made.api, ui=made.ui)))
    assert again.executed == []
    assert done(client.call(Submit(ui=made.ui))).executed == []
