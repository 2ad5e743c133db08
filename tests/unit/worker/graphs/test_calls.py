"""A call's way from eager to replay, and everything that keeps it eager."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from comfyd.worker.graphs import key
from comfyd.worker.graphs.calls import Call, Refused, same_bits
from comfyd.worker.graphs.ledger import Step

from .fake import Clock, FakeCapturing, Interrupted, Model, make


def ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape or (2, 3))


def step_of(model: Model) -> Step:
    [(_, entry)] = list(model.graphs.ledger)
    return entry.step


def test_eager_then_captured_then_compared_then_replayed() -> None:
    graphs, capturing = make()
    model = Model(graphs)
    eager = []
    for value in range(5):
        assert torch.equal(model(ones() * value), ones() * value * 2)
        eager.append(model.eager)
    assert eager == [1, 2, 3, 3, 3]
    assert len(capturing.made) == 1
    assert step_of(model) is Step.REPLAY


def test_a_replay_that_differs_by_one_bit_refuses_the_graph_and_gives_eagers_result() -> None:
    graphs, capturing = make(freeze=True)
    model = Model(graphs)
    results = [model(ones() * value) for value in range(5)]
    assert all(torch.equal(result, ones() * value * 2) for value, result in enumerate(results))
    assert model.eager == 5
    [(_, entry)] = list(graphs.ledger)
    assert (entry.step, entry.reason) == (Step.EAGER, "its first replay differs from eager")
    assert capturing.made[0].closed


def test_a_refused_call_is_tried_again_with_other_weights_only() -> None:
    graphs, capturing = make(error=RuntimeError("operation not permitted when stream is capturing\nmore"))
    model = Model(graphs)
    for _ in range(4):
        model(ones())
    [(_, entry)] = list(graphs.ledger)
    assert entry.reason == "operation not permitted when stream is capturing"
    capturing.error = None
    model.epoch = 2
    for _ in range(4):
        model(ones())
    assert step_of(model) is Step.REPLAY


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model(ones(2, 4)),
        lambda model: model(ones().double()),
        lambda model: model(ones(3, 2).T),
        lambda model: model(ones(), mode="other"),
        lambda model: model(ones(), control={"input": [ones(), None]}),
    ],
)
def test_another_shape_type_layout_or_structure_is_another_call(change: Callable[[Model], object]) -> None:
    graphs, capturing = make()
    model = Model(graphs)
    for _ in range(4):
        model(ones())
    before = model.eager
    change(model)
    assert model.eager == before + 1
    model(ones())
    assert model.eager == before + 1
    assert len(capturing.made) == 1


def test_graphs_go_when_the_weights_move_and_never_run_again() -> None:
    graphs, capturing = make()
    model = Model(graphs)
    for _ in range(4):
        model(ones())
    model.epoch = 2
    model(ones())
    assert capturing.made[0].closed
    assert graphs.ledger.graphs == 0


def test_graphs_of_a_collected_model_go_at_the_next_call() -> None:
    graphs, capturing = make()
    one, other = Model(graphs, owner=1), Model(graphs, owner=2)
    for _ in range(4):
        one(ones())
    graphs.died(1)
    other(ones())
    assert capturing.made[0].closed


def test_memory_that_runs_short_takes_the_graphs_and_the_job_goes_on() -> None:
    graphs, capturing = make()
    model, other = Model(graphs, owner=1), Model(graphs, owner=2)
    for _ in range(4):
        model(ones())
    failures = iter([MemoryError()])

    def short(x: torch.Tensor) -> torch.Tensor:
        for error in failures:
            raise error
        return x + 1

    other.compute = short
    assert torch.equal(other(ones()), ones() + 1)
    assert (graphs.ledger.graphs, capturing.released) == (0, 1)


def test_memory_that_runs_short_without_graphs_is_the_jobs_own_failure() -> None:
    graphs, _ = make()
    model = Model(graphs)

    def short(x: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    model.compute = short
    with pytest.raises(MemoryError):
        model(ones())


def test_memory_that_runs_out_during_capture_drops_graphs_and_gives_eagers_result() -> None:
    graphs, capturing = make()
    first, second = Model(graphs, owner=1), Model(graphs, owner=2)
    for _ in range(4):
        first(ones())
    capturing.error = MemoryError("CUDA out of memory")
    for value in range(3):
        assert torch.equal(second(ones() * value), ones() * value * 2)
    assert graphs.ledger.graphs == 0
    assert [entry.reason for key, entry in graphs.ledger if key.owner == 2] == ["memory ran out during capture"]


def squeezed(clock: Clock, **settings: Any) -> tuple[Model, FakeCapturing]:
    """A model whose graphs have had to make room three times, and that was called four times since."""
    graphs, capturing = make(clock=clock, **settings)
    model = Model(graphs)
    for _ in range(3):
        for _ in range(4):
            model(ones())
        graphs.make_room("a model needs their memory")
    for _ in range(4):
        model(ones())
    return model, capturing


def test_where_graphs_had_to_make_room_three_times_no_more_are_made_for_a_while() -> None:
    clock = Clock()
    model, capturing = squeezed(clock, room=False)
    assert (len(capturing.made), step_of(model)) == (3, Step.EAGER)
    clock.time = 3600.0
    for _ in range(3):
        model(ones())
    assert (len(capturing.made), step_of(model)) == (4, Step.REPLAY)


def test_where_there_is_room_by_now_it_does_not_matter_how_often_graphs_had_to_make_some() -> None:
    model, capturing = squeezed(Clock(), room=True)
    assert (len(capturing.made), step_of(model)) == (4, Step.REPLAY)


def test_a_call_that_found_no_memory_for_its_graph_is_tried_again_when_some_was_freed() -> None:
    graphs, capturing = make(error=MemoryError())
    model = Model(graphs)
    for _ in range(4):
        model(ones())
    assert step_of(model) is Step.EAGER
    capturing.error = None
    graphs.ledger.pardon()
    for _ in range(3):
        model(ones())
    assert step_of(model) is Step.REPLAY


def test_a_call_that_was_refused_for_what_it_does_is_not_pardoned() -> None:
    graphs, capturing = make(error=RuntimeError("operation not permitted"))
    model = Model(graphs)
    for _ in range(4):
        model(ones())
    capturing.error = None
    graphs.forgive()
    model(ones())
    assert step_of(model) is Step.EAGER


@pytest.mark.parametrize("calls", [2, 4])
def test_a_replay_that_finds_no_memory_for_its_result_is_eager_in_the_end(calls: int) -> None:
    graphs, capturing = make()
    model = Model(graphs)
    for _ in range(calls):
        model(ones())
    before = model.eager
    capturing.replay_error = MemoryError()
    assert torch.equal(model(ones() * 5), ones() * 10)
    assert (graphs.ledger.graphs, capturing.released, model.eager) == (0, 1, before + 1)


def test_memory_that_runs_short_has_the_callers_own_call_made_again() -> None:
    """Not the one for captures, which may know less."""
    graphs, _ = make()
    first = Model(graphs, owner=1)
    for _ in range(4):
        first(ones())
    outcomes = iter([MemoryError()])

    def eager() -> torch.Tensor:
        for error in outcomes:
            raise error
        return ones() + 1

    def function(arguments: Any) -> Any:
        raise Refused("it reads sample_sigmas")

    assert torch.equal(graphs.run(Call(2, 1, "Other", {"x": ones()}, function, eager)), ones() + 1)


def test_nothing_is_captured_or_replayed_under_autocast() -> None:
    graphs, _ = make()
    model = Model(graphs)
    for _ in range(4):
        model(ones())
    before = model.eager
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(ones())
    assert model.eager == before + 1
    assert next(iter(graphs.reasons.values()))[0] == "it runs under autocast"


@pytest.mark.parametrize(
    "choose",
    [
        torch.backends.cuda.enable_flash_sdp,
        torch.backends.cuda.enable_mem_efficient_sdp,
        torch.backends.cuda.enable_cudnn_sdp,
        lambda on: torch.set_float32_matmul_precision("highest" if on else "high"),
    ],
)
def test_settings_of_torch_that_choose_kernels_make_another_key(choose: Callable[[bool], None]) -> None:
    choose(True)
    before = key.switches()
    choose(False)
    try:
        assert key.switches() != before
    finally:
        choose(True)
    assert key.switches() == before


def test_an_interrupt_during_capture_is_the_jobs_and_refuses_nothing() -> None:
    graphs, capturing = make(error=Interrupted())
    model = Model(graphs)
    model(ones())
    with pytest.raises(Interrupted):
        model(ones())
    capturing.error = None
    for _ in range(3):
        model(ones())
    assert step_of(model) is Step.REPLAY


def test_a_call_within_a_call_is_a_part_of_it() -> None:
    graphs, capturing = make()
    outer, inner = Model(graphs, owner=1), Model(graphs, owner=2)
    outer.compute = lambda x: inner(x) + 1
    for _ in range(4):
        assert torch.equal(outer(ones()), ones() * 3)
    assert len(capturing.made) == 1


def test_unknown_python_among_the_arguments_runs_eagerly_with_the_reason() -> None:
    graphs, capturing = make()
    model = Model(graphs)
    for _ in range(4):
        model(ones(), patches={"attn1": [test_unknown_python_among_the_arguments_runs_eagerly_with_the_reason]})
    [(reason, _)] = graphs.reasons.values()
    assert "test_unknown_python" in reason
    assert (model.eager, capturing.made) == (4, [])


def test_two_eager_runs_that_differ_are_never_captured() -> None:
    graphs, capturing = make()
    model = Model(graphs)
    model.compute = lambda x: x + torch.rand(())
    for _ in range(4):
        model(ones())
    assert capturing.made == []
    [(_, entry)] = list(graphs.ledger)
    assert entry.reason == "two eager runs differ"


def test_same_bits() -> None:
    nan = torch.tensor([float("nan"), 0.0])
    assert same_bits(nan, nan.clone())
    assert not same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert not same_bits({"a": [ones(), None]}, {"a": [ones(), ones()]})
    assert not same_bits(ones(2, 3), ones(3, 2))
    assert same_bits((ones(2, 3).T, 1), (ones(3, 2), 1))


def test_the_fake_refuses_to_replay_a_closed_graph() -> None:
    graph = FakeCapturing().capture(lambda tensors: tensors[0], [ones()], False)
    graph.close()
    with pytest.raises(AssertionError):
        graph.replay([ones()])


def test_a_short_run_is_left_in_peace_and_the_next_one_captures() -> None:
    graphs, capturing = make()
    model = Model(graphs)
    model.run = "first"
    for _ in range(5):
        model(ones())
    assert (model.eager, capturing.made) == (5, [])
    model.run = "second"
    for _ in range(5):
        model(ones())
    assert (model.eager, len(capturing.made)) == (7, 1)
