"""A sweep from Python against a real daemon with the fake engine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import comfyd
from comfyd.errors import InvalidValue, JobFailed
from tests.daemon_process import DaemonProcess, graph


@pytest.fixture
def comfy(daemon: DaemonProcess) -> Iterator[comfyd.Connection]:
    """Connected to a daemon that runs, with a short queue."""
    daemon.start(max_queue=20)
    with comfyd.connect(home=daemon.paths.data.parent, start=False) as connection:
        yield connection


def test_every_combination_comes_in_its_order(comfy: comfyd.Connection) -> None:
    flow = {**graph("Save", text="x"), "2": {"class_type": "Steps", "inputs": {"steps": 1}}}
    results = list(comfy.sweep(flow, {"1.text": ["a, b", "c"], "2.steps": range(1, 4)}))
    made = [(result.overrides["1.text"], result.overrides["2.steps"]) for result in results]
    assert sorted(made) == [(text, steps) for text in ("a, b", "c") for steps in (1, 2, 3)]
    assert [result.files[0].read_text() for result in results] == [text for text, _ in made]
    paired = comfy.sweep(flow, {"1.text": ["a", "c"], "2.steps": [2, 3]}, zip=True)
    assert [tuple(result.overrides.values()) for result in paired] == [("a", 2), ("c", 3)]
    assert [job.sweep.split()[0] for job in comfy.history(2)] == ["2/2", "1/2"]


def test_the_workflow_is_read_once(comfy: comfyd.Connection, tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(graph("Save", text="x")))
    sweep = comfy.sweep(file, {"1.text": list("abcdefghijklmnopqrstuvwxyz")})
    made = [next(sweep).files[0].read_text()]
    file.unlink()
    made += [result.files[0].read_text() for result in sweep]
    assert "".join(made) == "abcdefghijklmnopqrstuvwxyz"


def test_more_jobs_than_the_queue_holds(comfy: comfyd.Connection) -> None:
    assert len(list(comfy.sweep(graph("Steps", steps=1), {"1.steps": "1..60"}))) == 60


def test_leaving_it_cancels_what_is_left(comfy: comfyd.Connection) -> None:
    sweep = comfy.sweep(graph("Steps", steps=1), {"1.steps": [1, *range(50_000, 50_020)]})
    next(sweep)
    sweep.close()  # type: ignore[attr-defined]
    assert comfy.queue() == []
    assert {job.state for job in comfy.history(100)} == {"done", "cancelled"}


def test_what_is_wrong_is_raised(comfy: comfyd.Connection) -> None:
    with pytest.raises(InvalidValue, match="an integer"):
        next(comfy.sweep(graph("Steps", steps=1), {"1.steps": ["x"]}))
    with pytest.raises(JobFailed):
        list(comfy.sweep(graph("Raise", message="x"), {"1.message": ["a", "b"]}))
    assert comfy.queue() == []
