"""What is remembered of schedules is what ComfyUI computes."""

from pathlib import Path

from .graphs import SAMPLER, changed, demo
from .test_patching import picture
from .worker import WorkerProcess


def test_schedules_are_told_apart(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    base = demo("house", steps=2, seed=600)
    graphs = [changed(base, SAMPLER, scheduler=name, steps=steps) for name in ("simple", "karras") for steps in (2, 3)]
    shifted = base | {"30": {"class_type": "ModelSamplingSD3", "inputs": {"model": ["1", 0], "shift": 1.5}}}
    graphs.append(changed(shifted, SAMPLER, model=["30", 0]))
    first = [picture(worker, graph).tobytes() for graph in graphs]
    assert len({*first}) == len(graphs)
    again = [picture(worker, changed(graph, SAMPLER, denoise=0.999999)).tobytes() for graph in graphs]
    assert first == again
