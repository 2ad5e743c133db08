"""The worker dies, hangs, or never lives: one clear sentence, every other job yields its one result."""

import os
import signal

import pytest

from comfyd import errors
from comfyd.client import Client
from comfyd.doctor import daemon as doctor_daemon
from comfyd.protocol import (
    Cancel,
    Cancelled,
    CancelReply,
    Done,
    EngineState,
    Failed,
    HistoryRequest,
    JobsReply,
    NodeStarted,
    Queued,
    Started,
    StatusReply,
    Submit,
    ToClient,
    Unload,
    WaitReady,
    Watch,
)
from tests.daemon_process import DaemonProcess, alive, final, graph, read_to, submit, wait_until


def history(client: Client) -> dict[int, str]:
    reply = client.call(HistoryRequest())
    assert isinstance(reply, JobsReply)
    return {job.id: job.state for job in reply.jobs}


def finals(messages: list[ToClient]) -> list[str]:
    return [type(message).__name__ for message in messages if message.FINAL]


def test_a_job_runs_again_when_its_worker_is_killed(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    worker = daemon.ready().engine.pid
    stream = client.stream(submit("WaitFor", path=str(gate)))
    read_to(stream, NodeStarted)
    os.kill(worker, signal.SIGKILL)
    assert read_to(stream, Queued).position == 1
    assert read_to(stream, Started).attempt == 2
    gate.touch()
    assert finals(list(stream)) == ["Done"]
    assert daemon.ready().engine.pid != worker


def test_a_job_whose_worker_is_killed_again_and_again_is_interrupted(daemon: DaemonProcess) -> None:
    daemon.start(attempts=2)
    with daemon.client() as client:
        stream = client.stream(submit("WaitFor", path=str(daemon.file("never"))))
        for _ in range(2):
            read_to(stream, NodeStarted)
            os.kill(daemon.status().engine.pid, signal.SIGKILL)
        failed = final(stream)
        assert isinstance(failed, Failed)
        assert failed.error.code == "interrupted"
        assert isinstance(client.call(submit("Echo", text="x")), Done)


@pytest.mark.parametrize(
    ("node", "inputs", "words"),
    [
        ("Crash", {"signal": int(signal.SIGSEGV), "unless": ""}, "SIGSEGV in node 1 (Crash)"),
        ("Crash", {"signal": int(signal.SIGABRT), "unless": ""}, "SIGABRT in node 1 (Crash)"),
        ("Exit", {"status": 3}, "exited with status 3 in node 1 (Exit)"),
    ],
)
def test_a_node_that_takes_the_worker_down_is_named_and_others_run_again(
    daemon: DaemonProcess, client: Client, node: str, inputs: dict[str, object], words: str
) -> None:
    gate = daemon.file("gate")
    bystander = client.stream(submit("WaitFor", path=str(gate)))
    read_to(bystander, NodeStarted)
    failed = client.call(submit(node, **inputs))
    assert isinstance(failed, Failed)
    assert failed.error.code == "worker-crashed"
    assert words in failed.error.message
    gate.touch()
    assert finals(list(bystander)) == ["Done"]
    assert history(client) == {1: "done", 2: "failed"}


def test_crashing_jobs_do_not_use_up_the_attempts_of_others_nor_the_restarts(daemon: DaemonProcess) -> None:
    daemon.start(worker_restarts=1, attempts=1)
    with daemon.client() as client:
        gate = daemon.file("gate")
        bystander = client.stream(submit("WaitFor", path=str(gate)))
        for _ in range(3):
            read_to(bystander, NodeStarted)
            failed = client.call(submit("Crash", signal=int(signal.SIGSEGV), unless=""))
            assert isinstance(failed, Failed)
        gate.touch()
        assert finals(list(bystander)) == ["Done"]


def test_the_last_words_of_a_worker_reach_the_developer(client: Client) -> None:
    failed = client.call(submit("Exit", status=1))
    assert isinstance(failed, Failed)
    assert "the node ends the process" in failed.error.detail


def test_a_hanging_node_is_cancelled_by_replacing_the_worker_and_others_run_again(daemon: DaemonProcess) -> None:
    daemon.start(cancel_grace=0.2, attempts=1)
    with daemon.client() as client:
        gate = daemon.file("gate")
        bystander = client.stream(submit("WaitFor", path=str(gate)))
        read_to(bystander, NodeStarted)
        hanging = client.stream(submit("Hang", path=str(daemon.file("never"))))
        read_to(hanging, NodeStarted)
        waiting = client.stream(submit("Echo", text="x"))
        assert client.call(Cancel(job=2)) == CancelReply(job=2, state="cancelled")
        assert final(hanging) == Cancelled(job=2)
        assert read_to(bystander, Queued).position == 1
        gate.touch()
        assert finals(list(bystander)) == ["Done"]
        assert isinstance(final(waiting), Done)
        assert history(client) == {1: "done", 2: "cancelled", 3: "done"}


def test_a_silent_job_is_ended_and_the_one_that_held_the_worker_is_to_blame(daemon: DaemonProcess) -> None:
    daemon.start(progress_deadline=0.5)
    with daemon.client() as client:
        gate = daemon.file("gate")
        bystander = client.stream(submit("WaitFor", path=str(gate)))
        read_to(bystander, NodeStarted)
        hanging = client.stream(submit("Hang", path=str(daemon.file("never"))))
        read_to(hanging, NodeStarted)
        gate.touch()
        failed = final(hanging)
        assert isinstance(failed, Failed)
        assert failed.error.code == "stalled"
        assert "node 1 (Hang) of job 2" in failed.error.message
        assert finals(list(bystander)) == ["Done"]


def test_a_worker_that_talks_nonsense_is_replaced(daemon: DaemonProcess, client: Client) -> None:
    worker = daemon.ready().engine.pid
    assert isinstance(client.call(submit("Garbage", messages=2)), Done)
    assert daemon.status().engine.pid == worker
    client.call(submit("Garbage", messages=1))
    wait_until(lambda: daemon.ready().engine.pid != worker, "another worker")
    assert "does not decode" in daemon.log


# ---------------------------------------------------------------- never ready


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("refuse", "The fake engine does not want to start"),
        ("exit", "exited with status 1 before it was ready: no such thing as an engine"),
        ("crash", "was ended by SIGSEGV before it was ready"),
    ],
)
def test_a_worker_that_is_never_ready_is_an_error_not_a_loop(daemon: DaemonProcess, start: str, words: str) -> None:
    daemon.say_at_start(start)
    daemon.start()
    with daemon.client() as client:
        with pytest.raises(errors.EngineFailed) as caught:
            client.call(submit("Echo", text="x"))
        assert words in caught.value.message
        status = daemon.status()
        assert (status.engine.state, status.queued) == ("failed", 0)
        assert words in status.engine.message
        assert daemon.log.count("worker") < 20
        daemon.say_at_start("at-once")
        assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_pack_whose_import_does_not_end_is_named(daemon: DaemonProcess) -> None:
    daemon.say_at_start("import slow_pack")
    daemon.start()
    wait_until(lambda: daemon.status().engine.message == "importing the node pack slow_pack", "the pack's name")
    found = doctor_daemon._running(daemon.config, daemon.paths)
    assert "engine starting (importing the node pack slow_pack)" in found.text


def test_packs_whose_import_crashes_are_left_out(daemon: DaemonProcess) -> None:
    daemon.say_at_start("crash-in one_pack other_pack")
    daemon.start()
    with daemon.client() as client:
        assert isinstance(client.call(submit("Echo", text="x")), Done)
    assert daemon.status().engine.failed_packs == ["one_pack", "other_pack"]


def test_an_accepted_job_stays_queued_when_the_engine_fails(daemon: DaemonProcess) -> None:
    daemon.start()
    with daemon.client() as client:
        client.call(submit("Echo", text="x"))  # leaves a catalogue to bind with
        daemon.kill()
    daemon.say_at_start("exit")
    daemon.start()
    with daemon.client() as client:
        with pytest.raises(errors.EngineFailed, match="job 2 stays queued"):
            client.call(submit("Echo", text="y"))
        assert daemon.status().queued == 1
        daemon.say_at_start("at-once")
        done = client.call(Watch(job=2))
        assert isinstance(done, Done)
        assert done.outputs == {"1": {"text": ["y"]}}


def test_wait_ready_follows_the_start(daemon: DaemonProcess) -> None:
    daemon.say_at_start(f"wait {daemon.file('gate')}")
    daemon.start()
    with daemon.client() as client:
        stream = client.stream(WaitReady())
        state = next(stream)
        assert isinstance(state, EngineState)
        assert state.engine.state == "starting"
        daemon.file("gate").touch()
        status = final(stream)
        assert isinstance(status, StatusReply)
        assert status.engine.state == "ready"
        daemon.say_at_start("exit")
        os.kill(status.engine.pid, signal.SIGKILL)
        wait_until(lambda: daemon.status().engine.state == "failed", "the failed restart")
        with pytest.raises(errors.EngineFailed):
            client.call(WaitReady())


def test_a_worker_that_dies_too_often_is_given_up_until_the_next_command(daemon: DaemonProcess) -> None:
    daemon.start(worker_restarts=1)
    with daemon.client() as client:
        for _ in range(2):
            os.kill(daemon.ready().engine.pid, signal.SIGKILL)
            wait_until(lambda: daemon.status().engine.state != "ready", "the worker's death")
        wait_until(lambda: daemon.status().engine.state == "failed", "the end of patience")
        assert "died too often" in daemon.status().engine.message
        assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_job_waits_while_the_engine_starts_and_its_client_is_told(daemon: DaemonProcess) -> None:
    daemon.say_at_start(f"wait {daemon.file('gate')}")
    daemon.start()
    with daemon.client() as client:
        stream = client.stream(submit("Echo", text="x"))
        assert read_to(stream, EngineState).engine.state == "starting"
        assert daemon.status().engine.state == "starting"
        with pytest.raises(errors.NotResident):
            client.call(Unload(names=["x"]))
        daemon.file("gate").touch()
        assert [message.engine.state for message in stream if isinstance(message, EngineState)][-1] == "ready"


def test_the_worker_dies_with_its_daemon(daemon: DaemonProcess, client: Client) -> None:
    worker = daemon.ready().engine.pid
    daemon.kill()
    wait_until(lambda: not alive(worker), "the worker's death")


def test_a_job_that_ended_just_before_its_worker_is_not_run_again(client: Client) -> None:
    request = Submit(api=graph("Save", text="x"))
    for _ in range(5):
        done = client.call(request)
        assert isinstance(done, Done)
        client.call(submit("Crash", signal=int(signal.SIGSEGV), unless=""))
    assert list(history(client).values()).count("done") == 5
