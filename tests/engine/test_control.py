"""ControlNets, which keep the state of a run in themselves, under the step loop."""

from pathlib import Path

import numpy
from PIL import Image

from comfyd.protocol import Graph, UnloadOrder

from .graphs import SAMPLER, demo
from .test_sampling import picture
from .worker import WorkerProcess, done

PROMPT, NEGATIVE = "2", "3"


def controlled(base: Path, end: float, seed: int) -> Graph:
    """The demo workflow under a ControlNet that holds for a part of the steps."""
    Image.effect_mandelbrot((64, 64), (-3, -2.5, 2, 2.5), 100).convert("RGB").save(base / "input" / "hint.png")
    graph = demo("house", steps=6, seed=seed)
    graph["20"] = {"class_type": "TestControlNet", "inputs": {}}
    graph["21"] = {"class_type": "LoadImage", "inputs": {"image": "hint.png"}}
    graph["22"] = {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {
            "positive": [PROMPT, 0],
            "negative": [NEGATIVE, 0],
            "control_net": ["20", 0],
            "image": ["21", 0],
            "strength": 1.0,
            "start_percent": 0.0,
            "end_percent": end,
        },
    }
    graph[SAMPLER]["inputs"] |= {"positive": ["22", 0], "negative": ["22", 1]}
    return graph


def test_jobs_that_share_a_controlnet_equal_their_solo_runs(own_worker: WorkerProcess) -> None:
    graphs = [
        controlled(own_worker.base, 0.5, seed=1),
        controlled(own_worker.base, 0.5, seed=2),
        controlled(own_worker.base, 1.0, seed=3),
        demo("house", steps=6, seed=1),
    ]
    together = [picture(done(end)) for end in own_worker.run_all(graphs)]
    own_worker.send(UnloadOrder(request=1, names=[], everything=True))
    alone = [picture(done(own_worker.run(graph))) for graph in graphs]
    assert [numpy.array_equal(one, other) for one, other in zip(together, alone, strict=True)] == [True] * len(graphs)
    assert not numpy.array_equal(alone[0], alone[3])
