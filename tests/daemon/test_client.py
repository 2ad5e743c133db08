"""The client by itself: interruptions, time limits, streams that nobody reads."""

import os
import signal
import threading

import pytest

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import (
    Cancel,
    Cancelled,
    CancelReply,
    Done,
    Started,
    StatusReply,
    StatusRequest,
    Submit,
    WaitReady,
    Watch,
)
from tests.daemon_process import DaemonProcess, final, graph, read_to, submit, wait_until


def test_an_interrupted_stream_can_be_cancelled_and_read_to_its_end(daemon: DaemonProcess, client: Client) -> None:
    stream = client.stream(submit("WaitFor", path=str(daemon.file("never"))))
    read_to(stream, Started)

    thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))

    def read_on() -> None:
        thread.start()
        final(stream)

    with pytest.raises(KeyboardInterrupt):
        read_on()
    thread.join()
    assert client.call(Cancel(job=1)) == CancelReply(job=1, state="cancelled")
    assert final(stream) == Cancelled(job=1)


def test_a_daemon_that_does_not_answer_in_time_is_named(daemon: DaemonProcess, client: Client) -> None:
    os.kill(daemon.pid, signal.SIGSTOP)
    with pytest.raises(errors.DaemonUnavailable, match=r"did not answer within 0\.05 s"):
        client.call(StatusRequest(), timeout=0.05)
    os.kill(daemon.pid, signal.SIGCONT)
    assert isinstance(client.call(StatusRequest()), StatusReply)


@pytest.mark.parametrize("told_of_ends", [True, False])
def test_a_client_that_was_silent_sees_that_its_daemon_has_ended(
    daemon: DaemonProcess, client: Client, monkeypatch: pytest.MonkeyPatch, told_of_ends: bool
) -> None:
    monkeypatch.setattr("comfyd.client._IDLE", 0.0)
    if not told_of_ends:  # as on systems that have no descriptors for processes
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert isinstance(client.call(StatusRequest()), StatusReply)
    for _ in range(2):
        monkeypatch.setattr(client._monitor, "poll", lambda timeout: 0)  # before ZeroMQ has seen it
        daemon.kill()
        with pytest.raises(errors.DaemonUnavailable, match="No daemon is running"):
            client.call(StatusRequest())
        daemon.start()
        assert isinstance(client.call(StatusRequest()), StatusReply)
        assert isinstance(client.call(StatusRequest()), StatusReply)


def test_a_daemon_whose_socket_was_removed_is_not_asked(daemon: DaemonProcess, client: Client) -> None:
    assert not client._has_ended()
    daemon.paths.socket.unlink()
    assert client._has_ended()


def test_a_request_is_sent_when_its_stream_is_made(daemon: DaemonProcess, client: Client) -> None:
    stream = client.stream(submit("Echo", text="x"))
    wait_until(lambda: "job 1 done" in daemon.log, "the job's end")
    assert isinstance(final(stream), Done)
    with pytest.raises(StopIteration):
        next(stream)


def test_a_stream_that_nobody_reads_costs_nothing(client: Client) -> None:
    client.call(WaitReady())
    for _ in range(3):
        client.stream(submit("Steps", steps=10)).close()
        client.stream(submit("Steps", steps=10))
    assert isinstance(client.call(submit("Echo", text="x")), Done)
    assert client._inbox == {}


def test_requests_may_overlap(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    first = client.stream(submit("WaitFor", path=str(gate)))
    second = client.stream(submit("Echo", text="x"))
    assert isinstance(final(second), Done)
    assert isinstance(client.call(StatusRequest()), StatusReply)
    watching = client.stream(Watch(job=1))
    gate.touch()
    assert final(watching) == final(first)


def test_open_streams_end_when_the_client_is_closed(daemon: DaemonProcess, client: Client) -> None:
    stream = client.stream(submit("WaitFor", path=str(daemon.file("never"))))
    read_to(stream, Started)
    client.close()
    with pytest.raises(errors.DaemonUnavailable, match="job 1"):
        next(stream)


@pytest.mark.parametrize("value", [2**70, object()])
def test_a_value_that_cannot_be_sent_is_refused(client: Client, value: object) -> None:
    with pytest.raises(errors.InvalidValue, match="cannot be sent"):
        client.call(Submit(api=graph("Steps", steps=value)))
