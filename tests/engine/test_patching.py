"""LoRAs that change on a loaded model: the bits of a fresh load, in the same place."""

from pathlib import Path

import numpy
from PIL import Image

from comfyd.protocol import Graph, Unloaded, UnloadOrder

from . import models
from .graphs import SAMPLER, changed, demo, shown, with_lora
from .worker import WorkerProcess, done


def picture(worker: WorkerProcess, graph: Graph) -> numpy.ndarray:
    return numpy.asarray(Image.open(done(worker.run(graph)).files[0]))


def addresses(worker: WorkerProcess, graph: Graph, text: str) -> tuple[str, int]:
    """Where the weights are that the graph's sampler has left, and how many of them are patched."""
    asked = {"7": {"class_type": "TestWeightAddresses", "inputs": {"text": text, "model": graph[SAMPLER]["inputs"]["model"]}}}
    asked["8"] = {"class_type": "TestSink", "inputs": {"text": ["7", 0]}}
    where, count = shown(done(worker.run({**{k: v for k, v in graph.items() if k in ("1", "20")}, **asked})).outputs)[0].split()
    return where, int(count)


def test_loras_in_turn_have_the_bits_of_a_fresh_load_and_its_place(own_worker: WorkerProcess, demo_checkpoint: Path) -> None:
    names = [
        models.lora(demo_checkpoint, own_worker.base, f"{letter}.safetensors", seed) for letter, seed in (("a", 1), ("b", 2))
    ]
    base = demo("piano", steps=2)
    first, second = (with_lora(base, name) for name in names)
    weaker = changed(first, "20", strength_model=0.5)
    both = changed(second, "20", model=["21", 0]) | {"21": first["20"]}
    graphs = [first, second, base, weaker, both, first]
    made, places = [], []
    for seed, graph in enumerate(graphs):
        made.append(picture(own_worker, changed(graph, SAMPLER, seed=seed)))
        places.append(addresses(own_worker, base, f"after {seed}"))
    assert len({place for place, _ in places}) == 1
    assert [count for _, count in places] == [1, 1, 0, 1, 1, 1]
    for seed, graph in enumerate(graphs):
        own_worker.send(UnloadOrder(request=1, names=[], everything=True))
        own_worker.wait_for(Unloaded)
        assert numpy.array_equal(made[seed], picture(own_worker, changed(graph, SAMPLER, seed=seed)))
    assert not numpy.array_equal(made[0], made[5])
