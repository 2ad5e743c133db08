"""Graphs do not outlive what was done to a model: graphs are stood in for, all else is real."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd.protocol import Graph, Residency, Unloaded, UnloadOrder

from . import models
from .conftest import make_base
from .graphs import between, demo, with_bypass_lora
from .graphs_worker import HOLD
from .test_idle import MODEL, TEXT, GraphsWorker, unloaded
from .worker import done


@pytest.fixture(scope="module")
def worker(comfyui: Path, demo_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphsWorker]:
    base = tmp_path_factory.mktemp("base")
    root = str(Path(__file__).parent.parent.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOLD, str(base / "hold"))
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))))
        process = GraphsWorker(comfyui, make_base(base), demo_checkpoint.parent.parent)
    process.ready()
    for seed in range(3):
        done(process.run(of(seed)))
    yield process
    process.close()


def of(seed: int) -> Graph:
    return demo(f"kite {seed % 2}", steps=3, seed=seed)


def shifted(seed: int) -> Graph:
    return between(of(seed), "ModelSamplingSD3", shift=1.5)


def notes(worker: GraphsWorker) -> list[str]:
    """What the worker says of graphs now, which it does before it answers; texts are encoded again."""
    worker.send(UnloadOrder(request=1, names=["results"], everything=False))
    while not isinstance(message := worker.receive(), Unloaded):
        told = message if isinstance(message, Residency) else None
    assert told is not None
    return [resident.note for resident in told.residents if resident.kind == "graph"]


def counts(worker: GraphsWorker, label: str) -> tuple[int, int]:
    """Graphs and replays of a class of calls."""
    found = [re.fullmatch(rf"{label}, (\d+) captured, (\d+) replays", note) for note in notes(worker)]
    [match] = [one for one in found if one]
    return int(match[1]), int(match[2])


def replays(worker: GraphsWorker, graph: Graph, label: str) -> int:
    """Of calls of this class, in a run of the graph."""
    before = counts(worker, label)[1]
    done(worker.run(graph))
    return counts(worker, label)[1] - before


def test_what_is_injected_is_not_passed_over_and_leaves_nothing_behind(worker: GraphsWorker, demo_checkpoint: Path) -> None:
    name = models.lora(demo_checkpoint, worker.base, "bypass.safetensors", 1)
    for label, calls in ((MODEL, 3), (TEXT, 2)):
        assert replays(worker, with_bypass_lora(of(3), name), label) == 0
        assert f"{label} runs eagerly: a node has changed its modules" in notes(worker)
        assert replays(worker, of(4), label) == calls


def test_samplings_of_comfyuis_own_nodes_keep_each_others_graphs(worker: GraphsWorker) -> None:
    unloaded(worker)
    for seed in (10, 11):
        done(worker.run(shifted(seed)))
        done(worker.run(of(seed)))
    for seed in (12, 13):
        assert replays(worker, shifted(seed), MODEL) == 3
        assert replays(worker, of(seed), MODEL) == 3
    assert counts(worker, MODEL)[0] == 2


def test_a_layer_that_a_node_changed_in_place_is_seen_by_every_workflow(worker: GraphsWorker) -> None:
    assert replays(worker, between(of(40), "TestBend", bent=True), MODEL) == 0
    assert replays(worker, of(41), MODEL) == 0
    assert f"{MODEL} runs eagerly: code of a node pack hooks into Linear" in notes(worker)
    assert replays(worker, between(of(42), "TestBend", bent=False), MODEL) == 3
