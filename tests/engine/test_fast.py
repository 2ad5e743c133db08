"""Fast mode on the real engine: pictures as good as equal, nothing compiled twice, nothing shared with exact jobs."""

import math
import shutil
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from comfyd.protocol import Done, Graph, Progress, Run

from . import models
from .conftest import make_base
from .graphs import SAVE, changed, demo, with_lora
from .worker import WorkerProcess, done

PYTHON_H = Path(sysconfig.get_paths()["include"]) / "Python.h"
compiles = pytest.mark.skipif(
    shutil.which("g++") is None or not PYTHON_H.exists(), reason="needs a C++ compiler and Python's headers"
)
CASES = (("red apple", 1), ("a blue car", 7), ("yellow banana on a table", 23), ("", 4))


class Worker(WorkerProcess):
    """A worker that is asked for modes."""

    def made(self, graph: Graph, mode: str) -> tuple[Done, list[str]]:
        """A job's end, and what it said it was doing."""
        self._jobs += 1
        self.send(Run(job=self._jobs, graph=graph, mode=mode))
        events = self.events([self._jobs])
        (end,) = (event for event in events if isinstance(event, Done))
        return done(end), [event.doing for event in events if isinstance(event, Progress) and event.doing]

    def lines(self, word: str) -> list[str]:
        return [line for line in self.log.read_text(errors="replace").splitlines() if "comfyd:" in line and word in line]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module's workers keep what they compiled."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def start(comfyui: Path, demo_checkpoint: Path, tmp_path: Path, cache: Path) -> Iterator[Callable[[], Worker]]:
    """Starts workers, one after the other, that share a cache; the last one is ended after the test."""
    running: list[Worker] = []

    def fresh() -> Worker:
        for worker in running:
            worker.close()
        base = make_base(tmp_path / f"base{len(running)}")
        running[:] = [Worker(comfyui, base, demo_checkpoint.parent.parent, {"cache": str(cache)})]
        running[0].ready()
        return running[0]

    yield fresh
    for worker in running:
        worker.close()


def picture(end: Done) -> Any:
    return numpy.asarray(Image.open(end.files[0]).convert("RGB")).astype(float)


def decibels(ours: Done, other: Done) -> float:
    error = float(((picture(ours) - picture(other)) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


@compiles
@pytest.mark.timeout(300)
def test_fast_pictures_are_as_good_as_equal_and_compiled_once(
    start: Callable[[], Worker], demo_checkpoint: Path, cache: Path
) -> None:
    worker = start()
    for number, (text, seed) in enumerate(CASES):
        graph = demo(text=text, seed=seed, steps=8)
        exact, _ = worker.made(graph, "exact")
        fast, doing = worker.made(graph, "fast")
        assert (exact.mode, fast.mode) == ("exact", "fast")
        assert decibels(exact, fast) >= 40
        assert doing == (["compiling"] if number == 0 else [])
    assert len(worker.lines("is compiled")) == 1
    assert len(worker.lines("VAE is fast")) == 1
    assert any((cache / "compiled").iterdir())

    lora = with_lora(demo(seed=5), models.lora(demo_checkpoint, worker.base, "a.safetensors", 1))
    assert decibels(worker.made(lora, "exact")[0], worker.made(lora, "fast")[0]) >= 40
    assert len(worker.lines("is compiled")) == 1

    again = start()
    again.made(demo(seed=9), "fast")
    (line,) = again.lines("is compiled")
    assert ", 0 anew" in line
    assert "(0 graphs" not in line


@compiles
def test_results_of_the_modes_never_mix(start: Callable[[], Worker]) -> None:
    worker = start()
    graph = demo(seed=3)
    worker.made(graph, "exact")
    fast, _ = worker.made(graph, "fast")
    assert len(fast.executed) == fast.nodes_total
    for mode in ("exact", "fast"):
        again, _ = worker.made(graph, mode)
        assert again.executed == []
        assert again.mode == mode


def test_without_a_compiler_jobs_are_exact_and_the_log_says_so_once(
    start: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "/nowhere/g++")
    worker = start()
    first, _ = worker.made(demo(seed=3), "fast")
    assert first.mode == "exact"
    second, _ = worker.made(demo(seed=3), "exact")
    assert second.executed == []
    worker.made(demo(seed=4), "fast")
    assert len(worker.lines("fast mode is not to be had")) == 1


@compiles
def test_a_model_that_cannot_be_compiled_is_made_exactly(
    start: Callable[[], Worker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "true")  # a compiler that makes nothing
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    worker = start()
    exact, _ = worker.made(demo(seed=3), "exact")
    fast, _ = worker.made(demo(seed=3), "fast")
    assert fast.mode == "exact"
    assert math.isinf(decibels(exact, fast))
    assert len(worker.lines("is not run in fast mode: compiling it failed")) == 1

    again, _ = worker.made(demo(seed=3), "fast")
    assert (again.executed, again.mode) == ([], "exact")
    decoded = changed(demo(seed=3), SAVE, filename_prefix="other")
    renamed, _ = worker.made(decoded, "fast")
    assert (renamed.executed, renamed.mode) == ([SAVE], "exact")
    other, _ = worker.made(without_models(), "fast")
    assert other.mode == "fast"


def without_models() -> Graph:
    """A graph without any model."""
    empty = {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}}
    return {"1": empty, "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "empty"}}}
