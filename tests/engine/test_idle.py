"""Idle time captures what a job has called once, and gives way to the next job; graphs are stood in for, all else is real."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from comfyd.protocol import Graph, Unloaded, UnloadOrder
from comfyd.protocol import Residency as Report
from tests.daemon_process import wait_until

from . import models
from .conftest import make_base
from .graphs import chain, demo, with_text_lora
from .graphs_worker import HOLD
from .test_sampling import picture
from .worker import WorkerProcess, done

MODEL, DECODER, TEXT = "OpenAISignatureMMDITWrapper", "TAESD.decode", "CLIPEncoder"


class GraphsWorker(WorkerProcess):
    module = "tests.engine.graphs_worker"

    def wait_for_graphs(self, **replays: int) -> None:
        """Until the worker says that each of these has a graph that was replayed so often."""
        notes: set[str] = set()
        wanted = {f"{name}, 1 captured, {count} replays" for name, count in replays.items()}
        while not wanted <= notes:
            notes = {resident.note for resident in self.wait_for(Report).residents if resident.kind == "graph"}


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    """While this file is there, captures wait."""
    return tmp_path / "hold"


@pytest.fixture
def worker(
    comfyui: Path, demo_checkpoint: Path, tmp_path: Path, hold: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GraphsWorker]:
    root = str(Path(__file__).parent.parent.parent)
    monkeypatch.setenv(HOLD, str(hold))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))))
    process = GraphsWorker(comfyui, make_base(tmp_path / "base"), demo_checkpoint.parent.parent)
    process.ready()
    yield process
    process.close()


def of(seed: int) -> Graph:
    return demo("kite", steps=3, seed=seed)


def unloaded(worker: GraphsWorker) -> None:
    worker.send(UnloadOrder(request=1, names=[], everything=True))
    worker.wait_for(Unloaded)


def test_the_second_picture_is_a_replay_with_the_same_bits(worker: GraphsWorker) -> None:
    done(worker.run(of(1)))
    worker.wait_for_graphs(**{MODEL: 0, DECODER: 0, TEXT: 0})
    second = picture(done(worker.run(of(2))))
    worker.wait_for_graphs(**{MODEL: 3, DECODER: 1, TEXT: 0})
    unloaded(worker)
    assert numpy.array_equal(picture(done(worker.run(of(2)))), second)


def test_a_capture_gives_way_to_whatever_comes_and_is_made_later(worker: GraphsWorker, hold: Path) -> None:
    hold.touch()
    done(worker.run(of(1)))
    wait_until(hold.with_suffix(".held").exists)
    done(worker.run(chain()))
    hold.with_suffix(".held").unlink()
    wait_until(hold.with_suffix(".held").exists)
    hold.unlink()
    worker.wait_for_graphs(**{MODEL: 0, DECODER: 0})


def test_nothing_is_captured_of_models_that_have_gone(worker: GraphsWorker, hold: Path) -> None:
    hold.touch()
    done(worker.run(of(1)))
    wait_until(hold.with_suffix(".held").exists)
    unloaded(worker)
    hold.unlink()
    done(worker.run(of(1)))
    worker.wait_for_graphs(**{MODEL: 0, DECODER: 0, TEXT: 0})


def test_loras_on_the_text_encoder_keep_its_graph(worker: GraphsWorker, demo_checkpoint: Path) -> None:
    name = models.lora(demo_checkpoint, worker.base, "text.safetensors", 1)
    done(worker.run(of(1)))
    worker.wait_for_graphs(**{TEXT: 0})
    done(worker.run(with_text_lora(of(1), name)))
    weaker = picture(done(worker.run(with_text_lora(of(1), name, 0.5))))
    worker.wait_for_graphs(**{TEXT: 2})
    unloaded(worker)
    assert numpy.array_equal(picture(done(worker.run(with_text_lora(of(1), name, 0.5)))), weaker)
