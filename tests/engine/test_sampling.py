"""Samplers under the step loop give the bits of unmodified ComfyUI, alone and several at once."""

from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from PIL import Image

from comfyd.protocol import Cancelled, CancelRun, Done, FromWorker, Graph, Progress, UnloadOrder

from . import models
from .graphs import SAMPLER, changed, demo, with_lora
from .stock import StockServer
from .worker import WorkerProcess, done

MIXED = [
    demo("cat", sampler_name="euler_ancestral", steps=6, seed=11),
    demo("dog", (96, 64), sampler_name="dpmpp_sde", scheduler="karras", steps=4, seed=12, cfg=5.0),
    demo("sun", (64, 128), sampler_name="dpmpp_2m", scheduler="normal", steps=8, seed=13, cfg=1.0),
    demo("tree", sampler_name="uni_pc", scheduler="normal", steps=5, seed=14),
]


def pixels(file: str | Path) -> numpy.ndarray:
    with Image.open(file) as image:
        return numpy.asarray(image).copy()


def picture(end: Done) -> numpy.ndarray:
    return pixels(end.files[0])


@pytest.fixture(scope="module")
def stock(comfyui: Path, demo_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockServer]:
    base = tmp_path_factory.mktemp("stock")
    (base / "models" / "checkpoints").mkdir(parents=True)
    (base / "models" / "checkpoints" / demo_checkpoint.name).symlink_to(demo_checkpoint)
    server = StockServer(comfyui, base)
    yield server
    server.close()


def test_pictures_equal_stock_comfyui_bit_for_bit(worker: WorkerProcess, stock: StockServer) -> None:
    for graph in MIXED:
        assert numpy.array_equal(picture(done(worker.run(graph))), pixels(stock.run(graph)[0])), graph[SAMPLER]


def test_jobs_at_once_equal_their_solo_runs(own_worker: WorkerProcess) -> None:
    solo = [picture(done(own_worker.run(graph))) for graph in MIXED]
    reseeded = [changed(graph, SAMPLER, seed=99) for graph in MIXED]
    for graph in reseeded:
        done(own_worker.run(graph))
    # A fresh store would do as well: other seeds in between make sure that the generators are left in another state.
    own_worker.send(_unload_everything())
    jobs = [own_worker.submit(graph) for graph in MIXED]
    long = own_worker.submit(demo("house", steps=400, seed=5))
    events = _cancel_at(own_worker, long, step=3)
    events += own_worker.events([*jobs, long])
    ends = {m.job: m for m in events if isinstance(m, (Done, Cancelled))}
    assert isinstance(ends[long], Cancelled)
    for job, before in zip(jobs, solo, strict=True):
        assert numpy.array_equal(picture(done(ends[job])), before)
    assert _interleaved([m.job for m in events if isinstance(m, Progress)])


def test_unloading_under_a_sampler_does_not_change_its_picture(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.lora(demo_checkpoint, worker.base, "under.safetensors", seed=3)
    graph = with_lora(demo("moon", steps=40, seed=51), name)
    job = worker.submit(graph)
    seen = _until_step(worker, job, step=3)
    worker.send(_unload_everything())
    seen += worker.events([job])
    together = picture(done(seen[-1]))
    worker.send(_unload_everything())
    assert numpy.array_equal(together, picture(done(worker.run(graph))))


def test_jobs_that_share_a_guider_do_not_mix(worker: WorkerProcess) -> None:
    graphs = [_custom(seed, steps) for seed, steps in ((41, 6), (42, 4), (43, 5))]
    together = [picture(done(end)) for end in worker.run_all(graphs)]
    worker.send(_unload_everything())
    alone = [picture(done(worker.run(graph))) for graph in graphs]
    for one, other in zip(together, alone, strict=True):
        assert numpy.array_equal(one, other)


def test_loras_on_one_model_do_not_mix(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    names = [models.lora(demo_checkpoint, worker.base, f"lora-{seed}.safetensors", seed) for seed in (1, 2)]
    graphs = [demo("guitar", steps=4, seed=21), *(with_lora(demo("guitar", steps=4, seed=21), name) for name in names)]
    together = [picture(done(end)) for end in worker.run_all(graphs)]
    worker.send(_unload_everything())
    alone = [picture(done(worker.run(graph))) for graph in graphs]
    for one, other in zip(together, alone, strict=True):
        assert numpy.array_equal(one, other)
    assert not numpy.array_equal(alone[0], alone[1])
    assert not numpy.array_equal(alone[1], alone[2])


def test_cancel_takes_effect_within_a_step_and_the_next_run_is_right(worker: WorkerProcess) -> None:
    before = picture(done(worker.run(demo("moon", seed=31))))
    job = worker.submit(demo("moon", steps=500, seed=32))
    seen = _cancel_at(worker, job, step=2) + worker.events([job])
    assert isinstance(seen[-1], Cancelled)
    assert max(m.value for m in seen if isinstance(m, Progress)) < 10
    worker.send(_unload_everything())
    assert numpy.array_equal(picture(done(worker.run(demo("moon", seed=31)))), before)


def _cancel_at(worker: WorkerProcess, job: int, step: int) -> list[FromWorker]:
    seen = _until_step(worker, job, step)
    worker.send(CancelRun(job=job))
    return seen


def _until_step(worker: WorkerProcess, job: int, step: int) -> list[FromWorker]:
    seen: list[FromWorker] = []
    while not (seen and isinstance(seen[-1], Progress) and seen[-1].job == job and seen[-1].value >= step):
        seen.append(worker.receive())
    return seen


def _interleaved(jobs: list[int]) -> bool:
    """Whether some job's steps lie between another's."""
    return any(first in jobs[jobs.index(other) :] for first in jobs for other in jobs[jobs.index(first) :] if other != first)


def _custom(seed: int, steps: int) -> Graph:
    """The demo workflow with SamplerCustomAdvanced, whose guider is a node result of its own."""
    graph = demo("boat")
    old = graph[SAMPLER]["inputs"]
    graph |= {
        "30": {"class_type": "CFGGuider", "inputs": {name: old[name] for name in ("model", "positive", "negative", "cfg")}},
        "31": {"class_type": "RandomNoise", "inputs": {"noise_seed": seed}},
        "32": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "33": {
            "class_type": "BasicScheduler",
            "inputs": {"model": old["model"], "scheduler": "normal", "steps": steps, "denoise": 1.0},
        },
    }
    links = {"noise": ["31", 0], "guider": ["30", 0], "sampler": ["32", 0], "sigmas": ["33", 0]}
    graph[SAMPLER] = {"class_type": "SamplerCustomAdvanced", "inputs": links | {"latent_image": old["latent_image"]}}
    return graph


def _unload_everything() -> UnloadOrder:
    return UnloadOrder(request=1, names=[], everything=True)
