"""The worker's end of the socket: what may wait a moment waits unless something else goes, and nothing is left behind."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from comfyd.protocol import CancelRun, Done, FromWorker, NodeStarted, Order, Run, Started, decode_from_worker, encode
from comfyd.worker import link

_LIMIT = 30_000  # milliseconds, for broken code
_DONE = Done(job=1, seconds=0.0, executed=[], nodes_total=1, files=[], peak_memory=0, device="cpu")


class Daemon:
    """The other end."""

    def __init__(self, address: str) -> None:
        self._context = zmq.Context()
        self._pair = self._context.socket(zmq.PAIR)
        self._pair.bind(address)

    def order(self, order: Order) -> None:
        self._pair.send(encode(order))

    def next(self) -> FromWorker:
        assert self._pair.poll(_LIMIT), "nothing came"
        message: FromWorker = decode_from_worker(self._pair.recv())
        return message

    def close(self) -> None:
        self._pair.close(linger=0)
        self._context.term()


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    read_end, write_end = os.pipe()  # the daemon's hold on the worker
    there = Daemon(f"ipc://{tmp_path}/s")
    with os.fdopen(read_end) as stdin, os.fdopen(write_end):
        monkeypatch.setattr(sys, "stdin", stdin)
        yield there
    there.close()


class Answering:
    """A link that answers each order with these messages, in the link's own thread as a job that has begun at once would."""

    def __init__(self, folder: Path, messages: list[FromWorker]) -> None:
        self._messages = messages
        self.link = link.Link(f"ipc://{folder}/s", self._answer)
        self.link.start()

    def close(self) -> None:
        self.link.close()
        for end in (self.link._wake_in, self.link._wake_out):
            end.close()

    def _answer(self, order: Order) -> None:
        for message in self._messages:
            self.link.send(message)


_BEGUN: list[FromWorker] = [
    Started(job=1, nodes_total=1, cached=[], attempt=1),
    NodeStarted(job=1, node="1", class_type="A", title="A"),
]


@pytest.mark.parametrize("order", [Run(job=1, graph={}, extra_data={}, attempt=1), CancelRun(job=1)])
def test_what_may_wait_comes_even_if_nothing_follows(daemon: Daemon, tmp_path: Path, order: Order) -> None:
    answering = Answering(tmp_path, _BEGUN)
    for _ in range(3):
        daemon.order(order)
        assert [daemon.next(), daemon.next()] == _BEGUN
    answering.close()


def test_the_order_of_messages_stays(daemon: Daemon, tmp_path: Path) -> None:
    answering = Answering(tmp_path, [*_BEGUN, _DONE])
    daemon.order(Run(job=1, graph={}, extra_data={}, attempt=1))
    assert [daemon.next() for _ in range(3)] == [*_BEGUN, _DONE]
    answering.close()


def test_nothing_is_left_behind_at_the_end(daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_SOON", _LIMIT)
    answering = Answering(tmp_path, [])
    daemon.order(Run(job=1, graph={}, extra_data={}, attempt=1))
    while not answering.link._attentive:
        pass
    answering.link.send(_BEGUN[0])
    assert answering.link._outbox  # it waits
    answering.link.send(_DONE)
    assert [daemon.next(), daemon.next()] == [_BEGUN[0], _DONE]
    answering.close()
