"""The worker's I/O thread: owns the socket to the daemon, so that orders arrive while the GPU loop is busy."""

import contextlib
import os
import socket
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable

import zmq

from comfyd.protocol import FromWorker, NodeStarted, Order, Run, Started, decode_order, encode

_SOON = 10  # milliseconds after a job's order in which what it begins with may wait; no display shows anything sooner
_PATIENT = (Started, NodeStarted)
"""Told while a job gets ready, these would take interpreter and processor from it, in this thread, the daemon and the client."""


class Link(threading.Thread):
    """Sends messages from any thread, hands each order to ``on_order`` in its own, and ends the process with the daemon."""

    def __init__(self, address: str, on_order: Callable[[Order], None]) -> None:
        super().__init__(name="link", daemon=True)
        self._address = address
        self._on_order = on_order
        self._outbox: deque[bytes] = deque()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._closing = False
        self._attentive = False
        """Whether the thread looks into the outbox soon without being woken."""

    def send(self, message: FromWorker) -> None:
        """Queues a message and wakes the thread, unless that looks soon anyway and the message can wait; never blocks."""
        self._outbox.append(encode(message))
        if not (self._attentive and isinstance(message, _PATIENT)):
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes the thread as well
            self._wake_in.send(b"\0")

    def close(self, timeout: float = 10.0) -> None:
        """Ends the thread once everything queued has reached the daemon; afterwards the process may end at any moment."""
        self._closing = True
        self._wake()
        self.join(timeout)

    def run(self) -> None:
        """A process that can neither be told anything nor notice the end of its daemon must not stay behind."""
        try:
            with zmq.Context() as context:
                self._serve(context)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def _serve(self, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        pair = context.socket(zmq.PAIR)
        pair.setsockopt(zmq.LINGER, 5000)
        pair.connect(self._address)
        poller = zmq.Poller()
        for readable in (pair, self._wake_out, sys.stdin):
            poller.register(readable, zmq.POLLIN)
        limit: int | None = None
        while self._outbox or not self._closing:
            self._attentive = limit is not None
            ready = dict(poller.poll(limit))
            self._attentive = False
            if self._wake_out.fileno() in ready:
                self._wake_out.recv(65536)
            self._drain(pair)
            limit = _SOON if pair in ready and self._receive(pair) else None
            if sys.stdin.fileno() in ready:
                _end_with_daemon()
        pair.close()

    def _drain(self, pair: "zmq.Socket[bytes]") -> None:
        while self._outbox:
            pair.send(self._outbox[0])
            self._outbox.popleft()

    def _receive(self, pair: "zmq.Socket[bytes]") -> bool:
        """Hands on the orders that have come; whether a job is among them."""
        job = False
        while pair.poll(0):
            order = decode_order(pair.recv())
            self._on_order(order)
            job = job or isinstance(order, Run)
        return job


def _end_with_daemon() -> None:
    """The daemon holds the other end of standard input; end-of-file there is its death."""
    if not os.read(sys.stdin.fileno(), 4096):
        os._exit(0)
