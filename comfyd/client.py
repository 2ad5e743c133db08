"""The synchronous client: one request and its messages at a time, a daemon started where none runs."""

import contextlib
import itertools
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import msgspec
import zmq

from .config import Config, Paths
from .errors import DaemonUnavailable, InvalidValue, ProtocolError, ProtocolMismatch, from_info
from .protocol import (
    VERSION_FRAME,
    Accepted,
    Error,
    Preview,
    PreviewTaken,
    Request,
    Stop,
    Stopped,
    ToClient,
    Watch,
    decode_to_client,
    encode,
    ends,
)
from .starting import has_ended, listens, pid_of, start_daemon, start_or_join, watch

__all__ = ["Client", "Stream", "listens", "start_daemon", "stop_daemon"]

_IDLE = 0.02  # seconds of silence after which a request is worth a look at the daemon first


class Client:
    """A connection to the daemon, for one thread. Requests may overlap: a cancel while a job's events are read."""

    def __init__(self, config: Config, paths: Paths) -> None:
        self._config = config
        self._paths = paths
        self._start = True
        self._heard = 0.0
        self._daemon: int | None = None
        """A descriptor that tells of the daemon's end."""
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes]
        self._monitor: zmq.Socket[bytes]
        self._poller: zmq.Poller
        self._numbers = itertools.count(1)
        self._inbox: dict[bytes, deque[ToClient]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # ------------------------------------------------------------ connection

    def connect(self, start: bool = True) -> Self:
        """Connect; ``start`` says whether a daemon is started when none answers. Raises DaemonUnavailable."""
        self._start = start
        self.close()
        if not listens(self._paths):
            if not start:
                raise DaemonUnavailable("No daemon is running; `comfyd start` starts one.")
            start_or_join(self._config, self._paths)
        self._open()
        return self

    def close(self) -> None:
        """Let go of the connection; open streams end with DaemonUnavailable."""
        if self._context is None:
            return
        self._inbox.clear()
        if self._daemon is not None:
            os.close(self._daemon)
            self._daemon = None
        self._socket.disable_monitor()
        self._monitor.close()
        self._socket.close(linger=200)
        self._context.term()
        self._context = None

    def _open(self) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        # Never, in effect; but told not to reconnect at all, ZeroMQ throws away what it has received when the daemon ends.
        self._socket.setsockopt(zmq.RECONNECT_IVL, 24 * 3_600_000)
        self._socket.set_hwm(0)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED)
        self._socket.connect(self._paths.address)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    # ------------------------------------------------------------ requests

    def call(self, request: Request, timeout: float | None = None) -> ToClient:
        """The final message of a request; raises what the daemon refuses with, DaemonUnavailable without an answer in time."""
        *_, final = self.stream(request, timeout)
        return final

    def stream(self, request: Request, timeout: float | None = None) -> "Stream":
        """Send a request; its messages are read by iterating. ``timeout`` is the seconds between two of them."""
        return Stream(self, self._send(request), request, timeout)

    def _send(self, request: Request) -> bytes:
        if self._context is None or self._monitor.poll(0) or (self._idle() and self._has_ended()):
            self.connect(self._start)
        number, payload = next(self._numbers).to_bytes(8, "big"), _encode(request)
        self._inbox[number] = deque()
        self._socket.send_multipart([number, VERSION_FRAME, payload])
        return number

    def add(self, number: bytes, request: Request) -> None:
        """Send one more message under the id of a request that is being answered."""
        if number in self._inbox:
            self._socket.send_multipart([number, VERSION_FRAME, encode(request)])

    def _idle(self) -> bool:
        """Whether the daemon has been silent for so long that it may have ended unnoticed."""
        return time.monotonic() - self._heard > _IDLE

    def _has_ended(self) -> bool:
        """Whether no daemon is there; looked at through its process, for another connection would wake it up first."""
        if self._daemon is None:
            self._daemon = watch(self._paths)
        if self._daemon is None:
            return not listens(self._paths)
        return has_ended(self._daemon) or not self._paths.socket.exists()

    def next(self, number: bytes, timeout: float | None) -> ToClient | None:
        """The next message of a request, None if the daemon ended; raises DaemonUnavailable after ``timeout``."""
        while number in self._inbox and not self._inbox[number]:
            ready = dict(self._poller.poll(None if timeout is None else int(timeout * 1000)))
            if not ready:
                raise DaemonUnavailable(f"The daemon did not answer within {timeout:g} s; `comfyd logs` shows what it does.")
            if self._socket in ready or self._socket.poll(0):  # what came before the daemon's end is read before it
                self._receive()
            else:
                return None
        return self._inbox[number].popleft() if number in self._inbox else None

    def first(self, streams: Sequence["Stream"]) -> "Stream":
        """Of these open streams, of which there is one, the first with something to read; it may be the daemon's end."""
        while True:
            for stream in streams:
                if self._inbox.get(stream.number, True):  # one that is no longer there ended with its connection
                    return stream
            ready = dict(self._poller.poll())
            if not (self._socket in ready or self._socket.poll(0)):
                return streams[0]
            self._receive()

    def forget(self, number: bytes) -> None:
        """Nobody reads the messages of a request any longer."""
        self._inbox.pop(number, None)

    def _receive(self) -> None:
        frames = self._socket.recv_multipart()
        self._heard = time.monotonic()
        if len(frames) != 3:
            raise ProtocolError(f"The daemon sent {len(frames)} frames instead of 3; run `comfyd stop && comfyd start`.")
        number, version, payload = frames
        if version != VERSION_FRAME:
            raise ProtocolMismatch.between(client=VERSION_FRAME, daemon=version)
        if number in self._inbox:  # else its stream was abandoned
            self._inbox[number].append(_decode(payload))


class Stream(Iterator[ToClient]):
    """The messages of one request as they come, the final one last; raises what the daemon refuses with."""

    def __init__(self, client: Client, number: bytes, request: Request, timeout: float | None) -> None:
        self._client = client
        self.number = number
        self._request = request
        self._timeout = timeout
        self._job: int | None = request.job if isinstance(request, Watch) else None
        self._over = False

    def __next__(self) -> ToClient:
        if self._over:
            raise StopIteration
        message = self._client.next(self.number, self._timeout)
        if message is None or ends(self._request, message):
            self.close()
        if message is None:
            raise DaemonUnavailable(_lost(self._job))
        if isinstance(message, Error):
            raise from_info(message.error)
        if isinstance(message, Accepted):
            self._job = message.job
        if isinstance(message, Preview):
            self._client.add(self.number, PreviewTaken(job=message.job))
        return message

    def close(self) -> None:
        """Read no more; the job, if it is one, goes on."""
        self._over = True
        self._client.forget(self.number)

    __del__ = close


def _encode(request: Request) -> bytes:
    try:
        return encode(request)
    except (OverflowError, TypeError, RecursionError) as error:
        raise InvalidValue(f"A value of the workflow cannot be sent ({error}); whole numbers end at 2**64 - 1.") from error


def _decode(payload: bytes) -> ToClient:
    try:
        message: ToClient = decode_to_client(payload)
        return message
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"The daemon's answer is not understood ({error}); run `comfyd stop && comfyd start`.") from error


def _lost(job: int | None) -> str:
    if job is None:
        return "The daemon ended before it answered; `comfyd logs` shows why, and the next command starts it again."
    return (
        f"The daemon ended while job {job} was with it; the job is in the journal and runs again at the next start "
        f"if it has an attempt left (`comfyd start`, then `comfyd watch {job}`)."
    )


def stop_daemon(config: Config, paths: Paths, now: bool = False) -> Stopped | None:
    """Stop the daemon, whatever protocol it speaks; None if none runs. Returns once another could start."""
    if not listens(paths):
        return None
    try:
        with Client(config, paths).connect(start=False) as client:
            stopped = client.call(Stop(now=now))
    except (ProtocolMismatch, ProtocolError):
        stopped = _terminate(paths, now)
    assert isinstance(stopped, Stopped)
    return stopped


def _terminate(paths: Paths, now: bool) -> Stopped:
    """Stop a daemon of another version by signals, of which the second one means now."""
    pid = pid_of(paths)
    if not pid:
        raise DaemonUnavailable(f"The daemon's process is not known: {paths.pid_file} does not name it; end it by hand.")
    signals = 0
    while listens(paths):
        if now or not signals:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            signals += 1
        time.sleep(0.05)
    return Stopped()
