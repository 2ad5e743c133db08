"""Fast jobs whose model turns out not to run in fast mode: made again from the start, exactly, and labelled so."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd.protocol import Graph, Planned, PlanOrder

from .conftest import make_base
from .graphs import LOADER, SAMPLER, SAVE, changed, demo
from .test_fast import Worker


class FastWorker(Worker):
    module = "tests.engine.fast_worker"


@pytest.fixture
def worker(comfyui: Path, demo_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastWorker]:
    root = str(Path(__file__).parent.parent.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))))
    process = FastWorker(comfyui, make_base(tmp_path / "base"), demo_checkpoint.parent.parent)
    process.ready()
    yield process
    process.close()


def upscaled() -> Graph:
    """A picture of 64x64 pixels, and one of 128x128 made of its latents, for which the model is refused."""
    graph = demo(seed=3)
    larger = {"samples": [SAMPLER, 0], "upscale_method": "bicubic", "width": 128, "height": 128, "crop": "disabled"}
    again = changed({"31": graph[SAMPLER]}, "31", latent_image=["30", 0], denoise=0.6)
    decoded = {"class_type": "VAEDecode", "inputs": {"samples": ["31", 0], "vae": [LOADER, 2]}}
    saved = changed({"33": graph[SAVE]}, "33", images=["32", 0], filename_prefix="larger")
    return graph | {"30": {"class_type": "LatentUpscale", "inputs": larger}, "32": decoded} | again | saved


def test_a_job_that_falls_back_is_exact_from_its_start_and_so_is_its_repetition(worker: FastWorker) -> None:
    small, _ = worker.made(demo(seed=3), "fast")
    assert small.mode == "fast"
    graph = upscaled()
    fast, doing = worker.made(graph, "fast")
    assert (fast.mode, doing) == ("exact", ["compiling"])
    assert {SAMPLER, "31", SAVE, "33"} <= set(fast.executed)
    again, doing = worker.made(graph, "fast")
    assert (again.mode, again.executed, doing) == ("exact", [], [])
    exact, _ = worker.made(graph, "exact")
    assert (exact.mode, exact.executed, set(exact.files)) == ("exact", [], set(fast.files))
    alone, _ = worker.made(demo(seed=3), "exact")
    assert set(alone.files) < set(fast.files)
    assert saved(worker) == {*fast.files, *small.files}


def saved(worker: FastWorker) -> set[str]:
    return {str(path) for path in (worker.base / "output").rglob("*.png")}


def test_what_it_saved_before_goes_and_a_plan_knows_what_is_there(worker: FastWorker) -> None:
    graph = upscaled()
    end, _ = worker.made(graph, "fast")
    assert end.mode == "exact"
    assert saved(worker) == set(end.files)
    worker.send(PlanOrder(request=1, graph=graph, mode="fast"))
    assert not [node for node, found in worker.wait_for(Planned).nodes.items() if found.state == "run"]
