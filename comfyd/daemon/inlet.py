"""ZeroMQ sockets on the asyncio loop: every message becomes a call, without a task or a future per message."""

import asyncio
import logging
from collections.abc import Callable

import zmq

log = logging.getLogger("comfyd.wire")

_AT_ONCE = 100  # messages read before other work of the loop gets its turn


class Inlet:
    """Calls ``receive`` with the frames of every message of a socket, from creation to ``close``."""

    def __init__(self, socket: "zmq.Socket[bytes]", receive: Callable[[list[bytes]], None]) -> None:
        self.socket = socket
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._file = int(socket.getsockopt(zmq.FD))
        self._loop.add_reader(self._file, self.drain)
        self._loop.call_soon(self.drain)

    def drain(self) -> None:
        """Read what is there. The descriptor reports changes, not states, so that it has to be read to its end."""
        for _ in range(_AT_ONCE):
            if self.socket.closed:
                return
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._receive(frames)
            except Exception:
                log.exception("a message could not be handled; it is dropped")
        self._loop.call_soon(self.drain)

    def sent(self) -> None:
        """To be called after a send: it may have swallowed the descriptor's report of a message."""
        if int(self.socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            self._loop.call_soon(self.drain)

    def close(self, linger: int = 0) -> None:
        """Stop calling and close the socket, giving unsent messages ``linger`` milliseconds."""
        self._loop.remove_reader(self._file)
        self.socket.close(linger)
