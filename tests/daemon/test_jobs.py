"""Jobs as clients see them: a real daemon, the fake engine."""

from pathlib import Path
from typing import Any

import pytest

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import (
    Accepted,
    Cancel,
    Cancelled,
    CancelReply,
    Done,
    EngineState,
    HistoryRequest,
    JobRecord,
    JobsReply,
    NodeStarted,
    Progress,
    PsReply,
    PsRequest,
    Queued,
    QueueRequest,
    Started,
    Submit,
    Unload,
    UnloadReply,
    Watch,
)
from tests.daemon_process import DaemonProcess, final, graph, read_to, submit, wait_until


def records(client: Client, request: Any = None) -> list[JobRecord]:
    reply = client.call(request or QueueRequest())
    assert isinstance(reply, JobsReply)
    return reply.jobs


def test_a_job_runs_from_submit_to_done(client: Client) -> None:
    request = Submit(api=graph("Echo", "Steps", steps=3), workflow="both", overrides=[("1.text", "hello")])
    messages = [message for message in client.stream(request) if not isinstance(message, EngineState)]
    assert [type(message).__name__ for message in messages] == [
        "Accepted",
        "Started",
        "NodeStarted",
        "NodeDone",
        "NodeStarted",
        "Progress",
        "Progress",
        "Progress",
        "NodeDone",
        "Done",
    ]
    assert messages[0] == Accepted(job=1, position=0, overrides={"1.text": "hello"})
    done = messages[-1]
    assert isinstance(done, Done)
    assert done.outputs == {"1": {"text": ["hello"]}}
    (record,) = records(client, HistoryRequest())
    assert (record.id, record.state, record.workflow, record.nodes_run, record.nodes_total) == (1, "done", "both", 2, 2)
    assert record.overrides == {"1.text": "hello"}


def test_a_submit_that_is_not_followed_ends_once_the_job_is_in_the_journal(client: Client) -> None:
    accepted = client.call(Submit(api=graph("Save", text="x"), follow=False))
    assert isinstance(accepted, Accepted)
    done = client.call(Watch(job=accepted.job))
    assert isinstance(done, Done)
    assert [Path(file).read_text() for file in done.files] == ["x"]


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        ([("1.txet", "x")], errors.UnknownParameter),
        ([("2.text", "x")], errors.UnknownParameter),
        ([("1.steps", "many")], errors.InvalidValue),
        ([("1.steps", -1)], errors.InvalidValue),
    ],
)
def test_a_refusal_says_why_and_leaves_no_job(client: Client, overrides: Any, error: type[errors.ComfydError]) -> None:
    with pytest.raises(error) as caught:
        client.call(Submit(api=graph("Steps", steps=1), overrides=overrides))
    assert caught.value.exit_status == errors.ExitStatus.REFUSED
    assert records(client) == []


def test_an_unknown_node_is_refused(client: Client) -> None:
    with pytest.raises(errors.UnknownNode, match="Ecko"):
        client.call(submit("Ecko"))


def test_a_model_that_was_added_after_the_start_is_found(daemon: DaemonProcess, client: Client) -> None:
    with pytest.raises(errors.Refused, match=r"new\.safetensors"):
        client.call(submit("Load", model="new.safetensors"))
    (daemon.paths.data / "models").mkdir()
    (daemon.paths.data / "models" / "new.safetensors").touch()
    assert isinstance(client.call(submit("Load", model="new.safetensors")), Done)


# ---------------------------------------------------------------- failing


@pytest.mark.parametrize(
    ("node", "inputs", "code"),
    [
        ("Raise", {"message": "no luck"}, "node-failed"),
        ("OutOfMemory", {}, "out-of-memory"),
    ],
)
def test_a_node_that_fails_fails_its_job_only(client: Client, node: str, inputs: dict[str, Any], code: str) -> None:
    failed = client.call(submit(node, **inputs))
    assert failed.error.code == code  # type: ignore[union-attr]
    assert isinstance(client.call(submit("Echo", text="x")), Done)
    assert [record.state for record in records(client, HistoryRequest())] == ["done", "failed"]


# ---------------------------------------------------------------- watching


def test_a_job_that_has_ended_is_watched_by_its_stored_end(client: Client) -> None:
    done = client.call(submit("Echo", text="x"))
    assert list(client.stream(Watch(job=1))) == [done]


def test_a_running_job_is_watched_from_where_it_is(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    first = client.stream(Submit(api=graph("Steps", "WaitFor", path=str(gate))))
    read_to(first, Progress)
    read_to(first, NodeStarted)
    with daemon.client() as other:
        second = other.stream(Watch(job=1))
        seen = [next(second), next(second)]
        assert [type(message).__name__ for message in seen] == ["Started", "NodeStarted"]
        assert isinstance(seen[1], NodeStarted)
        assert seen[1].class_type == "WaitFor"
        gate.touch()
        assert isinstance(final(second), Done)
    assert isinstance(final(first), Done)


def test_a_waiting_job_is_told_its_place_whenever_it_changes(daemon: DaemonProcess) -> None:
    daemon.start(max_running=1)
    gate = daemon.file("gate")
    with daemon.client() as client:
        read_to(client.stream(submit("WaitFor", path=str(gate))), Started)
        for position in (1, 2):
            accepted = client.call(Submit(api=graph("Echo", text="x"), follow=False))
            assert accepted == Accepted(job=position + 1, position=position)
        watching = client.stream(Watch(job=3))
        assert next(watching) == Queued(job=3, position=2)
        client.call(Cancel(job=2))
        assert next(watching) == Queued(job=3, position=1)
        gate.touch()
        assert isinstance(final(watching), Done)


@pytest.mark.parametrize("job", [0, -3, 2**63, 2**64 - 1])
def test_a_number_no_job_can_have_is_unknown(client: Client, job: int) -> None:
    with pytest.raises(errors.NoSuchJob, match=str(job)):
        client.call(Watch(job=job))


def test_any_limit_of_the_history_is_taken(client: Client) -> None:
    client.call(submit("Echo", text="x"))
    assert len(records(client, HistoryRequest(limit=2**63))) == 1
    assert len(records(client, HistoryRequest(limit=0))) == 0


@pytest.mark.parametrize("request_of", [lambda job: Watch(job=job), lambda job: Cancel(job=job)])
def test_an_unknown_job_is_named_with_the_fix(client: Client, request_of: Any) -> None:
    with pytest.raises(errors.NoSuchJob, match="none was submitted yet"):
        client.call(request_of(5))
    client.call(submit("Echo", text="x"))
    with pytest.raises(errors.NoSuchJob, match=r"the newest is 1.*comfyd history"):
        client.call(request_of(5))


def test_queue_lists_running_and_waiting_jobs(daemon: DaemonProcess) -> None:
    daemon.start(max_running=1)
    with daemon.client() as client:
        read_to(client.stream(Submit(api=graph("Echo", "WaitFor", path=str(daemon.file("gate"))), workflow="a")), NodeStarted)
        client.call(Submit(api=graph("Echo", text="x"), workflow="b", follow=False))
        wait_until(lambda: records(client)[0].nodes_run == 1, "the first node's end")
        first, second = records(client)
        assert (first.id, first.state, first.workflow, first.position, first.nodes_total) == (1, "running", "a", None, 2)
        assert (second.id, second.state, second.workflow, second.position) == (2, "queued", "b", 1)
        status = daemon.status()
        assert (status.queued, status.running) == (1, [1])


# ---------------------------------------------------------------- cancelling


def test_a_running_job_is_cancelled_politely(daemon: DaemonProcess, client: Client) -> None:
    stream = client.stream(submit("WaitFor", path=str(daemon.file("never"))))
    read_to(stream, NodeStarted)
    assert client.call(Cancel(job=1)) == CancelReply(job=1, state="cancelled")
    assert final(stream) == Cancelled(job=1)
    assert client.call(Cancel(job=1)) == CancelReply(job=1, state="cancelled")


def test_cancelling_a_job_that_is_done_says_so(client: Client) -> None:
    client.call(submit("Echo", text="x"))
    assert client.call(Cancel(job=1)) == CancelReply(job=1, state="done")


def test_a_waiting_job_is_cancelled_at_once(daemon: DaemonProcess) -> None:
    daemon.start(max_running=1)
    with daemon.client() as client:
        read_to(client.stream(submit("WaitFor", path=str(daemon.file("never")))), Started)
        waiting = client.stream(submit("Echo", text="x"))
        read_to(waiting, Accepted)
        assert client.call(Cancel(job=2)) == CancelReply(job=2, state="cancelled")
        assert final(waiting) == Cancelled(job=2)


def test_a_full_queue_refuses_and_has_room_again(daemon: DaemonProcess) -> None:
    daemon.start(max_running=1, max_queue=2)
    with daemon.client() as client:
        read_to(client.stream(submit("WaitFor", path=str(daemon.file("never")))), Started)
        for _ in range(2):
            client.call(Submit(api=graph("Echo", text="x"), follow=False))
        with pytest.raises(errors.QueueFull, match="2 jobs wait"):
            client.call(Submit(api=graph("Echo", text="x"), follow=False))
        client.call(Cancel(job=1))
        assert isinstance(client.call(submit("Echo", text="x")), Done)


# ---------------------------------------------------------------- several clients


def test_two_clients_at_once_get_their_own_results(daemon: DaemonProcess, client: Client) -> None:
    with daemon.client() as other:
        streams = [each.stream(submit("Echo", text=text)) for each, text in ((client, "one"), (other, "two"))]
        for stream in streams:
            read_to(stream, Accepted)
        results = [final(stream) for stream in streams]
    texts = [result.outputs["1"]["text"] for result in results if isinstance(result, Done)]
    assert texts == [["one"], ["two"]]


def test_a_job_goes_on_without_the_client_that_submitted_it(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    with daemon.client() as leaving:
        read_to(leaving.stream(submit("WaitFor", path=str(gate))), NodeStarted)
    watching = client.stream(Watch(job=1))
    read_to(watching, NodeStarted)
    gate.touch()
    assert isinstance(final(watching), Done)


# ---------------------------------------------------------------- what is resident


def test_residents_are_listed_and_let_go(daemon: DaemonProcess) -> None:
    (daemon.paths.data / "models").mkdir()
    for name in ("one.safetensors", "two.safetensors"):
        (daemon.paths.data / "models" / name).touch()
    daemon.start()
    with daemon.client() as client:
        for name in ("one.safetensors", "two.safetensors"):
            client.call(submit("Load", model=name))
        ps = client.call(PsRequest())
        assert isinstance(ps, PsReply)
        assert [(resident.name, resident.kind) for resident in ps.residents] == [
            ("one.safetensors", "checkpoint"),
            ("two.safetensors", "checkpoint"),
        ]
        with pytest.raises(errors.NotResident, match=r"tow\.safetensors.*did you mean.*two\.safetensors"):
            client.call(Unload(names=["tow.safetensors"]))
        reply = client.call(Unload(names=["one.safetensors"]))
        assert reply == UnloadReply(names=["one.safetensors"], freed=1024**3)
        assert client.call(Unload(everything=True)) == UnloadReply(names=["two.safetensors"], freed=1024**3)
        with pytest.raises(errors.NotResident, match="nothing is"):
            client.call(Unload(names=["one.safetensors"]))
