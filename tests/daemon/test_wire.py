"""What arrives on the daemon's socket that no client of ours would send."""

from collections.abc import Iterator

import msgspec
import pytest
import zmq

from comfyd import errors
from comfyd.client import Client, listens, stop_daemon
from comfyd.protocol import (
    PROTOCOL,
    VERSION_FRAME,
    Done,
    EngineState,
    Error,
    StatusReply,
    StatusRequest,
    decode_to_client,
    encode,
)
from tests.daemon_process import DaemonProcess, submit, wait_until


class Raw:
    """A bare socket to the daemon."""

    def __init__(self, address: str) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.RCVTIMEO, 30_000)
        self.socket.connect(address)

    def ask(self, *frames: bytes) -> list[bytes]:
        self.socket.send_multipart(frames)
        return self.socket.recv_multipart()

    def close(self) -> None:
        self.socket.close(0)
        self.context.term()


@pytest.fixture
def raw(daemon: DaemonProcess, client: Client) -> Iterator[Raw]:
    socket = Raw(daemon.paths.address)
    yield socket
    socket.close()


def error_of(frames: list[bytes]) -> Error:
    message = decode_to_client(frames[2])
    assert isinstance(message, Error)
    return message


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"garbage",
        encode({"type": "NoSuchRequest"}),
        encode({"type": "Watch", "job": "seven"}),
        encode([1, 2]),
        b"\x91" * 5000,
    ],
)
def test_a_message_that_does_not_decode_is_answered(raw: Raw, client: Client, payload: bytes) -> None:
    number, version, _ = frames = raw.ask(b"req", VERSION_FRAME, payload)
    assert (number, version) == (b"req", VERSION_FRAME)
    assert error_of(frames).error.code == "protocol-error"
    assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_message_of_another_version_is_told_both(raw: Raw) -> None:
    error = error_of(raw.ask(b"req", b"99", b"whatever")).error
    assert error.code == "protocol-mismatch"
    assert "version 99" in error.message
    assert f"version {PROTOCOL}" in error.message
    assert "comfyd stop && comfyd start" in error.message


@pytest.mark.parametrize("frames", [[b""], [b"one"], [b"req", VERSION_FRAME], [b"req", VERSION_FRAME, b"", b"more"], [b""] * 50])
def test_a_message_of_the_wrong_number_of_frames_is_ignored(
    daemon: DaemonProcess, raw: Raw, client: Client, frames: list[bytes]
) -> None:
    raw.socket.send_multipart(frames)
    assert isinstance(client.call(StatusRequest()), StatusReply)
    wait_until(lambda: "ignored a message" in daemon.log, "the note in the log")
    assert isinstance(decode_to_client(raw.ask(b"req", VERSION_FRAME, encode(StatusRequest()))[2]), StatusReply)


def test_fields_of_a_newer_client_are_tolerated(raw: Raw) -> None:
    payload = msgspec.msgpack.encode({"type": "StatusRequest", "something": "new"})
    assert isinstance(decode_to_client(raw.ask(b"req", VERSION_FRAME, payload)[2]), StatusReply)


def test_a_client_that_vanishes_in_the_middle_of_a_flood_harms_nobody(daemon: DaemonProcess, client: Client) -> None:
    daemon.ready()
    for _ in range(3):
        leaving = Raw(daemon.paths.address)
        leaving.socket.send_multipart([b"req", VERSION_FRAME, encode(submit("Steps", steps=3000))])
        leaving.socket.recv_multipart()
        leaving.close()
    assert isinstance(client.call(submit("Echo", text="x")), Done)
    wait_until(lambda: not daemon.status().running, "the abandoned jobs' ends")
    assert daemon.log.count("done") == 4


def test_what_a_client_submitted_that_vanished_before_it_was_accepted_is_dropped(daemon: DaemonProcess) -> None:
    daemon.say_at_start(f"wait {daemon.file('gate')}")
    daemon.start()
    leaving = Raw(daemon.paths.address)
    assert isinstance(decode_to_client(leaving.ask(b"req", VERSION_FRAME, encode(submit("Echo", text="x")))[2]), EngineState)
    leaving.close()
    daemon.file("gate").touch()
    with daemon.client() as client:
        done = client.call(submit("Echo", text="y"))
        assert isinstance(done, Done)
        assert done.job == 1


def test_a_client_that_does_not_read_gets_its_final_message_nevertheless(daemon: DaemonProcess, client: Client) -> None:
    lazy = Raw(daemon.paths.address)
    lazy.socket.setsockopt(zmq.RCVHWM, 1)
    lazy.socket.send_multipart([b"req", VERSION_FRAME, encode(submit("Steps", steps=60_000))])
    wait_until(lambda: "job 1 done" in daemon.log, "the job's end")
    while not isinstance(message := decode_to_client(lazy.socket.recv_multipart()[2]), Done):
        assert not message.FINAL
    lazy.close()


def test_a_daemon_of_another_version_is_named_by_the_client(daemon: DaemonProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.start()
    monkeypatch.setattr("comfyd.client.VERSION_FRAME", b"99")
    with (
        daemon.client() as client,
        pytest.raises(errors.ProtocolMismatch, match=rf"version {PROTOCOL}.*comfyd stop && comfyd start"),
    ):
        client.call(StatusRequest())


def test_a_daemon_of_another_version_can_be_stopped(daemon: DaemonProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.start()
    monkeypatch.setattr("comfyd.client.VERSION_FRAME", b"99")
    assert stop_daemon(daemon.config, daemon.paths) is not None
    assert not listens(daemon.paths)
