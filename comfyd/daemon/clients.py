"""The daemon's end of the socket that clients connect to."""

import asyncio
import logging
import socket
from collections.abc import Callable

import msgspec
import zmq

from comfyd.config import Paths
from comfyd.errors import ComfydError, ProtocolError, ProtocolMismatch
from comfyd.protocol import VERSION_FRAME, Error, Request, ToClient, decode_request, encode

from .inlet import Inlet

log = logging.getLogger("comfyd.wire")

_BACKLOG = 20_000  # messages a client may leave unread before it loses events
_RETRY = 1.0  # seconds until a final message is offered again to a client that does not read


class Caller(msgspec.Struct, frozen=True):
    """Whoever awaits the answer to one request: the connection and the request's id."""

    connection: bytes
    request: bytes


class Clients:
    """Requests in, messages out. ``gone`` is called with the callers' connection once it is known to have ended."""

    def __init__(self, receive: Callable[[Caller, Request], None], gone: Callable[[bytes], None]) -> None:
        self._take = receive
        self._gone = gone
        self._context = zmq.Context()
        router = self._context.socket(zmq.ROUTER)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        router.setsockopt(zmq.SNDHWM, _BACKLOG)
        self._inlet = Inlet(router, self._receive)

    def listen(self, paths: Paths) -> None:
        """Take connections from now on, or once more after the socket's path was removed."""
        self._inlet.socket.setsockopt(zmq.USE_FD, _listening(paths))
        self._inlet.socket.bind(paths.address)

    def _receive(self, frames: list[bytes]) -> None:
        if len(frames) != 4:
            log.warning("ignored a message of %d frames (a request has 3)", len(frames) - 1)
            return
        connection, request, version, payload = frames
        caller = Caller(connection, request)
        if version != VERSION_FRAME:
            self.refuse(caller, ProtocolMismatch.between(client=version, daemon=VERSION_FRAME))
            return
        try:
            message = decode_request(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            log.warning("a request does not decode: %s", error)
            self.refuse(caller, ProtocolError(f"The daemon does not understand this request ({error}); update comfyd."))
            return
        self._take(caller, message)

    def send(self, caller: Caller, message: ToClient) -> bool:
        """Send a message; False when the client is gone."""
        return self.relay(caller, encode(message), final=message.FINAL)

    def refuse(self, caller: Caller, error: ComfydError) -> bool:
        """End a request with an error."""
        return self.send(caller, Error(error=error.info()))

    def relay(self, caller: Caller, payload: bytes, final: bool) -> bool:
        """Send bytes as they are; a client that does not read loses events, never its final message."""
        try:
            self._inlet.socket.send_multipart([caller.connection, caller.request, VERSION_FRAME, payload], zmq.NOBLOCK)
        except zmq.Again:
            if final:
                asyncio.get_running_loop().call_later(_RETRY, self.relay, caller, payload, True)
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._gone(caller.connection)
            return False
        finally:
            self._inlet.sent()
        return True

    def close(self) -> None:
        """Send what is left and close; the socket's path is left alone, as it may be another daemon's by now."""
        self._inlet.close(linger=1000)
        self._context.term()


def _listening(paths: Paths) -> int:
    """A socket of our own making, because ZeroMQ would remove its path when it closes, however late that is."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(paths.socket))
    listener.listen(128)
    return listener.detach()
