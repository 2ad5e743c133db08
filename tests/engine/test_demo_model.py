"""The demo model draws what the prompt says, and its autoencoder encodes as well as it decodes."""

from pathlib import Path

import numpy
import pytest
from PIL import Image

from comfyd.protocol import Graph

from .graphs import DECODE, LOADER, SAVE, demo
from .worker import WorkerProcess, done

PICTURES = Path(__file__).with_name("demo-pictures.png")
"""What the model was trained to draw for PROMPTS, side by side, 32 x 32 each (graphics: Twemoji, CC-BY 4.0)."""
PROMPTS = [
    "red apple",
    "a cat face",
    "pizza",
    "rocket",
    "house",
    "tree",
    "car",
    "a cup of coffee",
    "penguin",
    "a cat and a red apple",
    "three stars",
    "sun above house",
    "purple pizza",
    "a rocket on a blue background",
]
SETTINGS = {"steps": 8, "cfg": 1.0}
"""Without guidance a step costs half; the pictures are as good."""


def _small(path: str | Path) -> numpy.ndarray:
    with Image.open(path) as image:
        return numpy.asarray(image.convert("RGB").resize((32, 32), Image.Resampling.BOX), numpy.float64)


def _trained() -> list[numpy.ndarray]:
    with Image.open(PICTURES) as image:
        return numpy.split(numpy.asarray(image.convert("RGB"), numpy.float64), len(PROMPTS), axis=1)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_draws_its_picture(worker: WorkerProcess, prompt: str) -> None:
    drawn = _small(done(worker.run(demo(prompt, (128, 128), **SETTINGS))).files[0])
    distances = [numpy.sqrt(numpy.square(drawn - picture).mean()) for picture in _trained()]
    assert PROMPTS[int(numpy.argmin(distances))] == prompt
    assert min(distances) < 16, "right, but smeared"


def _round_trip(image: str) -> Graph:
    """A picture into latents and back, without sampling."""
    graph = {number: node for number, node in demo().items() if number in (LOADER, DECODE, SAVE)}
    graph["8"] = {"class_type": "LoadImage", "inputs": {"image": image}}
    graph["9"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": [LOADER, 2]}}
    graph[DECODE]["inputs"]["samples"] = ["9", 0]
    return graph


def test_a_picture_survives_the_autoencoder(worker: WorkerProcess) -> None:
    with Image.open(PICTURES) as image:
        image.crop((0, 0, 64, 32)).resize((256, 128), Image.Resampling.LANCZOS).save(worker.base / "input" / "two.png")
        before = numpy.asarray(image.convert("RGB").crop((0, 0, 64, 32)), numpy.float64)
    with Image.open(done(worker.run(_round_trip("two.png"))).files[0]) as image:
        after = numpy.asarray(image.convert("RGB").resize((64, 32), Image.Resampling.BOX), numpy.float64)
    assert numpy.sqrt(numpy.square(after - before).mean()) < 12
