"""LoRAs that come, change and go on a loaded model give what they give on one freshly loaded."""

from pathlib import Path

import numpy

from comfyd.protocol import Graph, UnloadOrder

from . import models
from .graphs import demo, with_lora
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
