"""ComfyUI's execution model holds under the step loop: lists, lazy inputs, expansion, async, V3, blockers."""

import json
from pathlib import Path

import pytest

from comfyd.protocol import CancelRun, NodeStarted, Progress, Started

from .graphs import chain, demo, shown
from .worker import WorkerProcess, done, failed


def test_list_outputs_map_over_the_next_node(worker: WorkerProcess) -> None:
    assert shown(done(worker.run(chain("TestList", "TestV3", text="one two"))).outputs) == ["ONE", "TWO"]


def test_expansion_runs_the_new_nodes(worker: WorkerProcess) -> None:
    assert shown(done(worker.run(chain("TestExpand", text="grow"))).outputs) == ["grow!"]


def test_lazy_input_is_not_evaluated(worker: WorkerProcess) -> None:
    graph = {
        "1": {"class_type": "TestEcho", "inputs": {"text": "kept"}},
        "2": {"class_type": "TestRaise", "inputs": {"text": "never"}},
        "3": {"class_type": "TestSwitch", "inputs": {"side": "left", "left": ["1", 0], "right": ["2", 0]}},
        "4": {"class_type": "TestSink", "inputs": {"text": ["3", 0]}},
    }
    assert shown(done(worker.run(graph)).outputs) == ["kept"]


def test_blocker_ends_its_branch_silently(worker: WorkerProcess) -> None:
    assert shown(done(worker.run(chain("TestBlock"))).outputs) == []


def test_blocker_with_a_message_fails_the_job_whenever_it_runs(worker: WorkerProcess) -> None:
    graph = {f"blocked {id}": node for id, node in chain("TestBlockLoudly", text="Connect a mask.").items()}
    graph["blocked 2"]["inputs"]["text"] = ["blocked 1", 0]
    graph |= chain("TestEcho", text="other branch")
    for _ in range(2):
        end = failed(worker.run(graph))
        assert end.error.code == "node-failed"
        assert "Connect a mask." in end.error.message
        assert end.node == "blocked 2"


def test_second_run_executes_nothing_and_reports_the_same(worker: WorkerProcess) -> None:
    graph = chain("TestEcho", "TestV3", text="again")
    first, second = done(worker.run(graph)), done(worker.run(graph))
    assert first.executed == ["1", "2", "3"]
    assert second.executed == []
    assert second.outputs == first.outputs


def test_results_are_shared_by_content_whatever_the_ids(worker: WorkerProcess) -> None:
    done(worker.run(chain("TestEcho", "TestV3", text="shared")))
    other = {
        "a": {"class_type": "TestEcho", "inputs": {"text": "shared"}},
        "b": {"class_type": "TestV3", "inputs": {"text": ["a", 0]}},
        "c": {"class_type": "TestEcho", "inputs": {"text": ["b", 0]}},
        "d": {"class_type": "TestSink", "inputs": {"text": ["c", 0]}},
    }
    assert done(worker.run(other)).executed == ["c", "d"]


def test_is_changed_decides(worker: WorkerProcess) -> None:
    same, always = chain("TestCount", text="same"), chain("TestCount", text="always")
    assert [done(worker.run(graph)).executed for graph in (same, same)] == [["1", "2"], []]
    assert [done(worker.run(graph)).executed for graph in (always, always)] == [["1", "2"], ["1", "2"]]


def test_own_id_is_part_of_the_key(worker: WorkerProcess) -> None:
    graph = {
        "7": {"class_type": "TestOwnId", "inputs": {"text": "a"}},
        "8": {"class_type": "TestOwnId", "inputs": {"text": "a"}},
        "9": {"class_type": "TestSink", "inputs": {"text": ["7", 0]}},
        "10": {"class_type": "TestSink", "inputs": {"text": ["8", 0]}},
    }
    assert sorted(shown(done(worker.run(graph)).outputs)) == ["7:a", "8:a"]
    assert done(worker.run(graph)).executed == []


def test_async_node_stalls_no_other_job(worker: WorkerProcess, tmp_path: Path) -> None:
    flag = tmp_path / "go"
    waiting = worker.submit(chain("TestWait", text=str(flag)))
    assert worker.wait_for(NodeStarted, waiting).class_type == "TestWait"
    other = worker.submit(chain("TestEcho", text="meanwhile"))
    assert shown(done(worker.events([other])[-1]).outputs) == ["meanwhile"]
    flag.touch()
    assert shown(done(worker.events([waiting])[-1]).outputs) == [str(flag)]


def test_cancel_that_overtakes_its_job_in_the_inbox(worker: WorkerProcess, tmp_path: Path) -> None:
    flag = tmp_path / "go"
    busy = worker.submit(chain("TestBusy", text=str(flag)))
    worker.wait_for(NodeStarted, busy)
    job = worker.submit(chain("TestWait", text=str(tmp_path / "never")))
    worker.send(CancelRun(job=job))
    after = worker.submit(chain("TestEcho", text="after both"))
    flag.touch()
    ends = [m for m in worker.events([busy, job, after]) if getattr(m, "job", None) == job and not isinstance(m, Started)]
    ends += [m for m in worker.events([worker.submit(chain("TestEcho", text="later"))]) if getattr(m, "job", None) == job]
    assert [type(m).__name__ for m in ends if m.FINAL] == ["Cancelled"]


def test_results_that_cannot_travel_are_told_as_text(worker: WorkerProcess) -> None:
    graph = {"1": {"class_type": "TestShowAnything", "inputs": {"text": "x"}}}
    shown_things = done(worker.run(graph)).outputs["1"]["things"]
    assert shown_things == ["<class 'object'>", float(2**70), "?", 1.5, "[0 1]", {"1": ["set"]}]


def test_object_that_resists_being_weighed_is_passed_on(worker: WorkerProcess) -> None:
    assert shown(done(worker.run(chain("TestHostile", text="x"))).outputs) == ["hostile"]


def test_output_nodes_of_an_expansion_report_again(worker: WorkerProcess) -> None:
    graph = {"1": {"class_type": "TestExpandToSink", "inputs": {"text": "inner"}}}
    assert shown(done(worker.run(graph)).outputs) == ["inner"]
    assert shown(done(worker.run(graph)).outputs) == ["inner"]


def test_the_server_of_node_packs_has_a_loop_that_runs(worker: WorkerProcess) -> None:
    assert shown(done(worker.run(chain("TestServerLoop", text="looped"))).outputs) == ["looped"]


def test_progress_of_a_waiting_job_is_not_taken_for_anothers(worker: WorkerProcess, tmp_path: Path) -> None:
    flag = tmp_path / "go"
    waiting = worker.submit(chain("TestThread", text=str(flag)))
    worker.wait_for(NodeStarted, waiting)
    other = worker.submit(demo("thread", steps=30))
    events = worker.events([other])
    flag.touch()
    events += worker.events([waiting])
    done(events[-1])
    assert {m.max for m in events if isinstance(m, Progress) and m.job == other} == {30}


def test_waiting_async_node_is_cancelled(worker: WorkerProcess, tmp_path: Path) -> None:
    job = worker.submit(chain("TestWait", text=str(tmp_path / "never")))
    worker.wait_for(NodeStarted, job)
    worker.send(CancelRun(job=job))
    assert type(worker.events([job])[-1]).__name__ == "Cancelled"
    assert done(worker.run(chain("TestEcho", text="after the cancel")))


def test_random_generators_are_kept_apart(worker: WorkerProcess) -> None:
    def draw(seed: int, count: int) -> dict[str, object]:
        return {
            "1": {"class_type": "TestRandom", "inputs": {"seed": seed, "count": count}},
            "2": {"class_type": "TestSink", "inputs": {"text": ["1", 0]}},
        }

    ends = worker.run_all([draw(seed, 20) for seed in (11, 12, 13)])
    together = [json.loads(shown(done(end).outputs)[0]) for end in ends]
    alone = [json.loads(shown(done(worker.run(draw(seed, 21))).outputs)[0]) for seed in (11, 12, 13)]
    assert together == [drawn[:20] for drawn in alone]


@pytest.mark.parametrize(
    ("class_type", "code"),
    [
        ("TestRaise", "node-failed"),
        ("TestRaiseMute", "node-failed"),
        ("TestExit", "node-failed"),
        ("TestExitLater", "node-failed"),
        ("TestOutOfMemory", "out-of-memory"),
        ("TestDiskFull", "disk-full"),
    ],
)
def test_failing_node_fails_its_job_only(worker: WorkerProcess, class_type: str, code: str) -> None:
    bad, good = worker.run_all([chain("TestEcho", class_type, text="boom"), chain("TestEcho", text=f"fine {code}")])
    assert failed(bad).error.code == code
    assert failed(bad).node == "2"
    assert "\n" not in failed(bad).error.message
    assert shown(done(good).outputs) == [f"fine {code}"]


def test_started_names_what_is_cached(worker: WorkerProcess) -> None:
    graph = chain("TestEcho", "TestV3", text="named")
    done(worker.run(graph))
    job = worker.submit(graph)
    started = next(m for m in worker.events([job]) if isinstance(m, Started))
    assert sorted(started.cached) == ["1", "2", "3"]
    assert started.nodes_total == 3


def test_a_chain_too_long_for_the_engine_is_named_as_such(worker: WorkerProcess) -> None:
    end = failed(worker.run(chain(*["TestEcho"] * 5000)))
    assert (end.error.code, "a chain of nodes that is too long for ComfyUI; split it" in end.error.message) == (
        "workflow-invalid",
        True,
    )
    assert shown(done(worker.run(chain("TestEcho", text="alive"))).outputs) == ["alive"]
