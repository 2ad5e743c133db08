"""Plans of a real daemon with the fake engine: who is asked, what is compared, what was measured."""

from typing import Any

import pytest

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import Done, EngineState, HistoryRequest, JobsReply, PlanReply, PlanRequest, Submit
from tests.daemon_process import LIMIT, DaemonProcess, detach, graph, wait_until


def plan(client: Client, name: str = "demo", **inputs: Any) -> PlanReply:
    reply = client.call(PlanRequest(api=graph("Echo", "Steps", **inputs), workflow=name), timeout=LIMIT)
    assert isinstance(reply, PlanReply)
    return reply


def run(client: Client, name: str = "demo", **inputs: Any) -> Done:
    end = client.call(Submit(api=graph("Echo", "Steps", **inputs), workflow=name), timeout=LIMIT)
    assert isinstance(end, Done)
    return end


def reasons(reply: PlanReply) -> list[str]:
    return [node.reason for node in reply.nodes]


def test_a_plan_runs_nothing(client: Client) -> None:
    reply = plan(client, steps=3)
    assert (reply.engine, [node.state for node in reply.nodes], reply.against) == ("ready", ["run", "run"], 0)
    assert client.call(HistoryRequest()) == JobsReply(jobs=[])


def test_changes_are_those_since_the_last_job_of_the_workflow(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    with daemon.client() as client:
        assert reasons(plan(client, steps=3)) == ["first run", "first run"]
        run(client, steps=3)
        run(client, "other", steps=9)
        reply = plan(client, steps=4)
        assert (reply.against, reasons(reply)) == (1, ["dropped from the cache", "steps 3 -> 4"])
        assert plan(client, "never seen", steps=4).against == 2
        assert plan(client, "", steps=4).against == 2


def test_a_workflow_that_is_another_one_now_is_compared_with_the_likest(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    with daemon.client() as client:
        run(client, "a", steps=3)
        client.call(Submit(api=graph("Save", text="x"), workflow="b"), timeout=LIMIT)
        assert plan(client, "b", steps=3).against == 1


def test_what_nodes_took_is_known_after_one_run_and_after_a_restart(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    with daemon.client() as client:
        before = plan(client, steps=3)
        assert (before.seconds, before.untimed, before.memory.peak) == (None, 2, None)
        run(client, steps=3)
        after = plan(client, steps=3)
        assert (after.seconds, after.untimed, after.memory.peak) == (0.0, 0, 2 * 1024**3)
    daemon.kill()
    daemon.start().ready()
    with daemon.client() as client:
        again = plan(client, steps=3)
        assert (again.untimed, set(reasons(again))) == (0, {"the engine was started since"})


def test_jobs_that_ran_side_by_side_teach_no_times(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    flag = daemon.file("go")
    with daemon.client() as client:
        waiting = detach(client, graph("WaitFor", path=str(flag)))
        wait_until(lambda: waiting in daemon.status().running, "the waiting job")
        run(client, steps=3)
        assert plan(client, steps=3).untimed == 2
        assert plan(client, steps=3).ahead == 1
        flag.touch()


def test_before_the_engine_is_ready_nothing_is_kept_and_nobody_waits(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    daemon.kill()
    flag = daemon.file("ready")
    daemon.say_at_start(f"wait {flag}")
    daemon.start()
    with daemon.client() as client:
        *events, reply = client.stream(PlanRequest(api=graph("Echo", "Steps", steps=3)), timeout=LIMIT)
        assert isinstance(reply, PlanReply)
        assert all(isinstance(event, EngineState) for event in events)
        assert (reply.engine, [node.state for node in reply.nodes]) == ("starting", ["run", "run"])
        assert "starting" in reply.note
        flag.touch()


def test_an_engine_inside_a_node_is_not_waited_for(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    flag = daemon.file("go")
    with daemon.client() as client:
        hanging = detach(client, graph("Hang", path=str(flag)))
        wait_until(lambda: hanging in daemon.status().running, "the hanging job")
        reply = plan(client, steps=3)
        assert {node.state for node in reply.nodes} == {"unknown"}
        assert "inside Hang" in reply.note
        flag.touch()


def test_a_plan_is_refused_as_the_run_would_be(client: Client) -> None:
    with pytest.raises(errors.UnknownNode, match="Nothing"):
        client.call(PlanRequest(api=graph("Nothing")), timeout=LIMIT)
    with pytest.raises(errors.InvalidValue):
        client.call(PlanRequest(api=graph("Steps", steps=3), overrides=[("1.steps", "many")]), timeout=LIMIT)
    with pytest.raises(errors.InvalidValue):
        client.call(PlanRequest(api=graph("Steps", steps=3), mode="nonsense"), timeout=LIMIT)


def test_overrides_are_planned_and_told(client: Client) -> None:
    reply = client.call(PlanRequest(api=graph("Steps", steps=3), overrides=[("1.steps", "5")]), timeout=LIMIT)
    assert isinstance(reply, PlanReply)
    assert reply.overrides == {"1.steps": 5}


def test_a_large_graph_is_planned_and_learnt_from_beside_the_loop(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    large = {str(number): {"class_type": "Echo", "inputs": {"text": "x" * 500}} for number in range(600)}
    with daemon.client() as client:
        client.call(Submit(api=large, workflow="large"), timeout=LIMIT)

        def untimed() -> int:
            reply = client.call(PlanRequest(api=large, workflow="large"), timeout=LIMIT)
            assert isinstance(reply, PlanReply)
            assert (len(reply.nodes), reply.against) == (600, 1)
            return reply.untimed

        wait_until(lambda: untimed() == 0, "what the job has taught")
