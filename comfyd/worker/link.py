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

from comfyd.protocol import FromWorker, Order, decode_order, encode


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

    def send(self, message: FromWorker) -> None:
        """Queues a message and wakes the thread; never blocks."""
        self._outbox.append(encode(message))
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
        while self._outbox or not self._closing:
            ready = dict(poller.poll())
            if self._wake_out.fileno() in ready:
                self._drain(pair)
            if pair in ready:
                self._receive(pair)
            if sys.stdin.fileno() in ready:
                _end_with_daemon()
        pair.close()

    def _drain(self, pair: "zmq.Socket[bytes]") -> None:
        self._wake_out.recv(65536)
        while self._outbox:
            pair.send(self._outbox[0])
            self._outbox.popleft()

    def _receive(self, pair: "zmq.Socket[bytes]") -> None:
        while pair.poll(0):
            self._on_order(decode_order(pair.recv()))


def _end_with_daemon() -> None:
    """The daemon holds the other end of standard input; end-of-file there is its death."""
    if not os.read(sys.stdin.fileno(), 4096):
        os._exit(0)
