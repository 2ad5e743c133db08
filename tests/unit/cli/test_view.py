"""Events folded into a picture."""

import pytest
from comfyd_cli.view import View, fold

from comfyd.protocol import (
    Accepted,
    EngineInfo,
    EngineState,
    Memory,
    NodeDone,
    NodeStarted,
    Progress,
    Queued,
    Started,
    ToClient,
)

MEMORY = Memory(device="cuda:0", used=1, total=2)


def folded(*steps: tuple[float, ToClient]) -> View:
    view = View(0.0)
    for now, message in steps:
        view = fold(view, message, now)
    return view


def sampler(title: str = "KSampler") -> NodeStarted:
    return NodeStarted(job=1, node="5", class_type="KSampler", title=title)


def step(value: int, last: int = 20, node: str = "5") -> Progress:
    return Progress(job=1, node=node, value=value, max=last, memory=MEMORY)


def test_a_place_in_the_queue_comes_and_goes():
    assert folded((0, Accepted(job=1, position=3))).position == 3
    assert folded((0, Accepted(job=1, position=3)), (1, Queued(job=1, position=2))).position == 2
    assert folded((0, Accepted(job=1, position=0))).position is None
    assert folded((0, Accepted(job=1, position=3)), (1, Started(job=1, nodes_total=2, cached=[]))).position is None


def test_the_engine_is_shown_until_it_is_ready():
    starting = (0, EngineState(engine=EngineInfo(state="starting")))
    assert folded(starting, (1, Accepted(job=1, position=1))).engine is not None
    assert folded(starting, (1, EngineState(engine=EngineInfo(state="ready")))).engine is None


def test_nodes_are_counted_once_whether_cached_or_executed():
    started = Started(job=1, nodes_total=3, cached=["1"])
    done = [NodeDone(job=1, node=node, class_type="X", seconds=0, cached=node == "1") for node in "12"]
    view = folded((0, started), *((1, message) for message in done))
    assert (view.nodes_done, view.nodes_total) == (2, 3)


def test_the_rate_counts_from_the_first_step_as_loading_comes_before_it():
    view = folded((0, sampler()), (10, step(1)), (10.5, step(2)), (11, step(3)))
    assert view.running is not None
    assert view.running.rate == pytest.approx(2.0)
    assert view.running.left(11) == pytest.approx(8.5)
    assert view.running.left(12) == pytest.approx(7.5)
    assert view.memory == MEMORY


def test_one_step_has_no_rate():
    view = folded((0, sampler()), (10, step(1)))
    assert view.running is not None
    assert view.running.rate is view.running.left(11) is None


def test_a_second_pass_of_a_node_begins_anew():
    view = folded((0, sampler()), (1, step(1)), (2, step(20)), (50, step(1)), (51, step(2)))
    assert view.running is not None
    assert view.running.rate == pytest.approx(1.0)


def test_progress_of_a_node_nobody_announced():
    view = folded((1, step(1, node="9")))
    assert view.running is not None
    assert view.running.name == "node 9"


@pytest.mark.parametrize(("title", "name"), [("KSampler", "KSampler"), ("", "KSampler"), ("My sampler", "My sampler (KSampler)")])
def test_a_name_says_title_and_class_once(title: str, name: str):
    view = folded((0, sampler(title)))
    assert view.running is not None
    assert view.running.name == name


def test_a_job_that_is_queued_again_forgets_its_node():
    view = folded((0, Started(job=1, nodes_total=1, cached=[])), (1, sampler()), (2, Queued(job=1, position=1)))
    assert not view.started
    assert view.running is None
