"""LoRAs that come, change and go on a loaded model give what they give on one freshly loaded."""

import itertools
from pathlib import Path

import numpy

from comfyd.protocol import Graph, UnloadOrder

from . import models
from .graphs import demo, with_lora, with_text_lora
from .test_sampling import picture
from .worker import WorkerProcess, done


def of_strength(name: str, strength: float) -> Graph:
    graph = with_lora(demo("kite", steps=3, seed=7), name)
    for node in graph.values():
        if "strength_model" in node["inputs"]:
            node["inputs"]["strength_model"] = strength
    return graph


def test_changes_in_place_equal_fresh_loads(own_worker: WorkerProcess, demo_checkpoint: Path) -> None:
    one, other = (models.lora(demo_checkpoint, own_worker.base, f"place-{seed}.safetensors", seed) for seed in (1, 2))
    plain = demo("kite", steps=3, seed=7)
    wanted = [of_strength(one, 1.0), of_strength(one, 0.4), of_strength(other, 0.4), plain, of_strength(one, 1.0)]
    in_turn = []
    for graph in wanted:
        own_worker.send(UnloadOrder(request=1, names=["results"], everything=False))
        in_turn.append(picture(done(own_worker.run(graph))))
    for graph, before in zip(wanted, in_turn, strict=True):
        own_worker.send(UnloadOrder(request=1, names=[], everything=True))
        assert numpy.array_equal(picture(done(own_worker.run(graph))), before)
    assert not numpy.array_equal(in_turn[0], in_turn[1])
    assert numpy.array_equal(in_turn[0], in_turn[4])


def test_changes_in_place_of_a_text_encoder_equal_fresh_loads(own_worker: WorkerProcess, demo_checkpoint: Path) -> None:
    one, other = (models.lora(demo_checkpoint, own_worker.base, f"text-{seed}.safetensors", seed) for seed in (1, 2))
    plain = demo("kite", steps=3, seed=7)
    wanted = [with_text_lora(plain, one), with_text_lora(plain, one, 0.4), with_text_lora(plain, other), plain]
    in_turn = []
    for graph in wanted:
        own_worker.send(UnloadOrder(request=1, names=["results"], everything=False))
        in_turn.append(picture(done(own_worker.run(graph))))
    assert loads(own_worker) == 1
    for graph, before in zip(wanted, in_turn, strict=True):
        own_worker.send(UnloadOrder(request=1, names=[], everything=True))
        assert numpy.array_equal(picture(done(own_worker.run(graph))), before)
    assert len({made.tobytes() for made in in_turn}) == len(wanted)


def loads(worker: WorkerProcess) -> int:
    """How often the text encoder's weights were brought to the device, and not changed there."""
    lines = worker.log.read_text(errors="replace").splitlines()
    return sum("Requested to load SD3ClipModel" in one and "loaded completely" in then for one, then in itertools.pairwise(lines))
