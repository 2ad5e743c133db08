"""Captures in idle time: what they spare the second call, and what they must not do."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from comfyd.worker.graphs import key as keys
from comfyd.worker.graphs.calls import Graphs
from comfyd.worker.graphs.idle import Idle
from comfyd.worker.graphs.ledger import Step
from comfyd.worker.graphs.seen import Seen, SeenCalls

from .fake import FakeCapturing, FakeGraph, Interrupted, Model, make

modes: list[str] = []


@contextlib.contextmanager
def standing_in(mode: str) -> Iterator[None]:
    modes.append(mode)
    yield


def idle(graphs: Graphs, capturing: FakeCapturing) -> Idle:
    return Idle(graphs, capturing, standing_in)


def seen(**settings: Any) -> tuple[Idle, Model, FakeCapturing]:
    """Idle time after a model's first call."""
    graphs, capturing = make(**settings)
    model = Model(graphs)
    model(torch.ones(2, 3))
    return idle(graphs, capturing), model, capturing


def first_of(graphs: Graphs) -> Seen:
    found = graphs.seen.first()
    assert found is not None
    return found


def entries(model: Model) -> list[tuple[Step, str]]:
    return [(entry.step, entry.reason) for _, entry in model.graphs.ledger]


def test_the_second_call_is_a_replay() -> None:
    time, model, capturing = seen()
    modes.clear()
    assert time.left
    time.capture()
    assert (time.left, entries(model), modes) == (False, [(Step.REPLAY, "")], ["exact"])
    assert torch.equal(model(torch.full((2, 3), 5.0)), torch.full((2, 3), 10.0))
    assert (model.eager, len(capturing.made)) == (1, 1)


def test_a_short_run_is_a_replay_from_the_next_one_on() -> None:
    graphs, capturing = make()
    model = Model(graphs)
    model.run = "first"
    for _ in range(5):
        model(torch.ones(2))
    idle(graphs, capturing).capture()
    model.run = "second"
    for _ in range(5):
        model(torch.ones(2))
    assert model.eager == 5


def test_inputs_that_the_call_used_up_were_copied_before() -> None:
    graphs, capturing = make()
    model = Model(graphs)
    model.compute = lambda x: x.add_(1) * 2
    x = torch.ones(2)
    model(x)
    assert torch.equal(first_of(graphs).tensors[0], torch.ones(2))
    idle(graphs, capturing).capture()
    assert torch.equal(model(torch.ones(2)), torch.full((2,), 4.0))
    assert model.eager == 1


def test_a_frozen_value_shows_on_other_inputs() -> None:
    time, model, capturing = seen(freeze=True)
    time.capture()
    assert entries(model) == [(Step.EAGER, "its first replay differs from eager")]
    assert capturing.made[0].closed
    assert torch.equal(model(torch.zeros(2, 3)), torch.zeros(2, 3))


def test_a_replay_that_differs_on_its_own_inputs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    time, model, _ = seen()
    monkeypatch.setattr(FakeGraph, "replay", lambda self, tensors: self.function(tensors).nextafter(torch.tensor(9.0)))
    time.capture()
    assert entries(model) == [(Step.EAGER, "its first replay differs from eager")]


def test_what_cannot_be_captured_says_why() -> None:
    time, model, _ = seen(error=RuntimeError("operation not permitted\nmore"))
    time.capture()
    assert entries(model) == [(Step.EAGER, "operation not permitted")]
    assert not time.left


def test_an_interrupt_leaves_it_for_the_next_time() -> None:
    time, model, capturing = seen(error=Interrupted())
    time.capture()
    assert time.left
    capturing.error = None
    time.capture()
    assert entries(model) == [(Step.REPLAY, "")]


def test_an_interrupt_while_it_is_compared_frees_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    time, _, capturing = seen()

    def interrupted(self: FakeGraph, tensors: list[torch.Tensor]) -> Any:
        raise Interrupted

    monkeypatch.setattr(FakeGraph, "replay", interrupted)
    time.capture()
    assert capturing.made[0].closed
    assert time.left


def test_a_lack_of_memory_gives_nothing_up_and_the_second_call_tells() -> None:
    time, model, capturing = seen()
    other = Model(model.graphs, owner=2)
    for _ in range(4):
        other(torch.ones(2))
    capturing.error = MemoryError("CUDA out of memory")
    while time.left:
        time.capture()
    assert not capturing.made[0].closed
    assert (Step.CAPTURE, "") in entries(model)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda model, capturing: setattr(model, "gone", True),
        lambda model, capturing: setattr(capturing, "room", False),
        lambda model, capturing: setattr(model.graphs, "may_capture", lambda: False),
        lambda model, capturing: model.graphs.ledger.forget(1),
        lambda model, capturing: model.graphs.forget(1),
        lambda model, capturing: model.graphs.died(1),
        lambda model, capturing: model.graphs.clear("unloaded"),
    ],
)
def test_what_is_not_due_is_dropped_and_not_captured(spoil: Any) -> None:
    time, model, capturing = seen()
    spoil(model, capturing)
    time.capture()
    assert (time.left, capturing.made) == (False, [])
    for _ in range(2):
        assert torch.equal(model(torch.ones(2, 3)), torch.full((2, 3), 2.0))


def test_other_settings_of_torch_are_another_call(monkeypatch: pytest.MonkeyPatch) -> None:
    time, _, capturing = seen()
    monkeypatch.setattr(keys, "switches", lambda: ("other",))
    time.capture()
    assert (time.left, capturing.made) == (False, [])


def test_a_pool_that_is_half_full_takes_only_what_comes_twice() -> None:
    graphs, capturing = make(limit=150)
    one, other = Model(graphs, owner=1), Model(graphs, owner=2)
    for model in (one, other):
        model(torch.ones(2))
    time = idle(graphs, capturing)
    while time.left:
        time.capture()
    assert {key.owner: entry.graph is not None for key, entry in graphs.ledger} == {1: True, 2: False}


def test_a_graph_that_is_too_large_is_no_graph() -> None:
    time, model, capturing = seen(limit=50)
    time.capture()
    assert capturing.made[0].closed
    [(step, reason)] = entries(model)
    assert (step, "more than" in reason) == (Step.EAGER, True)
    assert torch.equal(model(torch.ones(2, 3)), torch.full((2, 3), 2.0))


def test_the_second_call_that_comes_first_is_captured_as_ever() -> None:
    time, model, capturing = seen()
    model(torch.ones(2, 3))
    assert not time.left
    assert len(capturing.made) == 1


def test_a_call_that_failed_is_not_seen() -> None:
    graphs, _ = make()
    model = Model(graphs)

    def failing(x: torch.Tensor) -> torch.Tensor:
        raise ValueError

    model.compute = failing
    with pytest.raises(ValueError):
        model(torch.ones(2))
    assert len(graphs.seen) == 0


def test_the_latest_calls_are_kept_within_bytes_and_number() -> None:
    graphs, _ = make()
    graphs.seen = SeenCalls(limit=100, count=3)
    model = Model(graphs)
    for size in (30, 1, 2, 3):  # of four bytes each
        model(torch.ones(size))
    assert [len(graphs.seen), first_of(graphs).size] == [3, 4]
    model(torch.ones(23))
    assert [len(graphs.seen), first_of(graphs).size] == [1, 92]


def test_nothing_to_do_is_done_at_once() -> None:
    graphs, capturing = make()
    idle(graphs, capturing).capture()
    assert capturing.made == []
