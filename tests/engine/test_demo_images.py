"""The demo model from a picture: image-to-image and inpainting through ComfyUI's ordinary nodes."""

from pathlib import Path

import numpy
from PIL import Image

from comfyd.protocol import Graph

from .graphs import LATENT, LOADER, SAMPLER, demo
from .worker import WorkerProcess, done

SIZE = (128, 128)


def from_picture(graph: Graph, name: str, masked: bool) -> Graph:
    """The graph with its latent taken from an input picture, and from its transparent part alone where ``masked``."""
    graph[LATENT] = {"class_type": "VAEEncode", "inputs": {"pixels": ["20", 0], "vae": [LOADER, 2]}}
    graph["20"] = {"class_type": "LoadImage", "inputs": {"image": name}}
    if masked:
        graph["21"] = {"class_type": "SetLatentNoiseMask", "inputs": {"samples": [LATENT, 0], "mask": ["20", 1]}}
        graph[SAMPLER]["inputs"]["latent_image"] = ["21", 0]
    return graph


def array(file: str | Path) -> numpy.ndarray:
    return numpy.asarray(Image.open(file).convert("RGB"), dtype=float)


def distance(one: numpy.ndarray, other: numpy.ndarray) -> float:
    """Mean difference of 0 to 255."""
    return float(abs(one - other).mean())


def draw(worker: WorkerProcess, prompt: str, seed: int = 1) -> Path:
    return Path(done(worker.run(demo(prompt, SIZE, steps=8, seed=seed))).files[0])


def test_image_to_image_keeps_what_it_was_given(worker: WorkerProcess) -> None:
    apple, rocket = draw(worker, "red apple"), draw(worker, "rocket")
    (worker.base / "input" / "apple.png").write_bytes(apple.read_bytes())
    graph = from_picture(demo("green apple", SIZE, steps=8, seed=3, denoise=0.5), "apple.png", masked=False)
    drawn = array(done(worker.run(graph)).files[0])
    assert 1.0 < distance(drawn, array(apple)) < distance(drawn, array(rocket))


def test_inpainting_changes_the_masked_part_alone(worker: WorkerProcess) -> None:
    sun = draw(worker, "sun")
    picture = Image.open(sun).convert("RGBA")
    picture.paste((0, 0, 0, 0), (64, 0, 128, 128))
    picture.save(worker.base / "input" / "half.png")
    graph = from_picture(demo("snowman", SIZE, steps=8, seed=4), "half.png", masked=True)
    drawn, before = array(done(worker.run(graph)).files[0]), array(sun)
    assert distance(drawn[:, :48], before[:, :48]) < 8.0
    assert distance(drawn[:, 72:], before[:, 72:]) > 20.0


def test_seeds_differ_where_the_prompt_leaves_room(worker: WorkerProcess) -> None:
    drawn = [array(draw(worker, "animal", seed)) for seed in (1, 2, 3)]
    assert min(distance(drawn[a], drawn[b]) for a, b in ((0, 1), (0, 2), (1, 2))) > 5.0
