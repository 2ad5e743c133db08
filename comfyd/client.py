"""The synchronous client: one request and its messages at a time, a daemon started where none runs."""

import contextlib
import itertools
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
import zmq

from .config import Config, Paths, hand_on, private_directory
from .errors import DaemonRunning, DaemonUnavailable, ProtocolError, ProtocolMismatch, from_info
from .protocol import (
    PROTOCOL,
    VERSION_FRAME,
    Accepted,
    Error,
    ErrorInfo,
    Request,
    Stop,
    Stopped,
    ToClient,
    decode_to_client,
    encode,
    ends,
)

_IDLE = 0.02  # seconds of silence after which a request is worth a look at the daemon first
_START_LIMIT = 20.0  # seconds a daemon may take until it answers


class Client:
    """A connection to the daemon, for one thread. Requests may overlap: a cancel while a job's events are read."""

    def __init__(self, config: Config, paths: Paths) -> None:
        self._config = config
        self._paths = paths
        self._start = True
        self._heard = 0.0
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
                raise DaemonUnavailable("No daemon is running; 'comfyd start' starts one.")
            _start_or_join(self._config, self._paths)
        self._open()
        return self

    def close(self) -> None:
        """Let go of the connection; open streams end with DaemonUnavailable."""
        if self._context is None:
            return
        self._inbox.clear()
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

    def stream(self, request: Request, timeout: float | None = None) -> Iterator[ToClient]:
        """All messages of a request as they come, the final one last; ``timeout`` is the seconds between two of them."""
        number = next(self._numbers).to_bytes(8, "big")
        self._send(number, request)
        job = None
        try:
            while True:
                message = self._next(number, timeout, job)
                if isinstance(message, Error):
                    raise from_info(message.error)
                if isinstance(message, Accepted):
                    job = message.job
                yield message
                if ends(request, message):
                    return
        finally:
            self._inbox.pop(number, None)

    def _send(self, number: bytes, request: Request) -> None:
        if self._context is None or self._monitor.poll(0) or (self._idle() and not listens(self._paths)):
            self.connect(self._start)
        self._inbox[number] = deque()
        self._socket.send_multipart([number, VERSION_FRAME, encode(request)])

    def _idle(self) -> bool:
        """Whether the daemon has been silent for so long that it may have ended unnoticed."""
        return time.monotonic() - self._heard > _IDLE

    def _next(self, number: bytes, timeout: float | None, job: int | None) -> ToClient:
        while number in self._inbox and not self._inbox[number]:
            ready = dict(self._poller.poll(None if timeout is None else int(timeout * 1000)))
            if not ready:
                raise DaemonUnavailable(f"The daemon did not answer within {timeout:g} s; 'comfyd logs' shows what it does.")
            if self._socket in ready or self._socket.poll(0):  # what came before the daemon's end is read before it
                self._receive()
            else:
                raise DaemonUnavailable(_lost(job))
        if number not in self._inbox:
            raise DaemonUnavailable(_lost(job))
        return self._inbox[number].popleft()

    def _receive(self) -> None:
        frames = self._socket.recv_multipart()
        self._heard = time.monotonic()
        if len(frames) != 3:
            raise ProtocolError(f"The daemon sent {len(frames)} frames instead of 3; run 'comfyd stop && comfyd start'.")
        number, version, payload = frames
        if version != VERSION_FRAME:
            raise ProtocolMismatch(
                f"This client speaks version {PROTOCOL} of the protocol and the running daemon version "
                f"{version.decode(errors='replace')[:20]}; run 'comfyd stop && comfyd start', or update comfyd."
            )
        if number in self._inbox:  # else its stream was abandoned
            self._inbox[number].append(_decode(payload))


def _decode(payload: bytes) -> ToClient:
    try:
        message: ToClient = decode_to_client(payload)
        return message
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"The daemon's answer is not understood ({error}); run 'comfyd stop && comfyd start'.") from error


def _lost(job: int | None) -> str:
    if job is None:
        return "The daemon ended before it answered; 'comfyd logs' shows why, and the next command starts it again."
    return (
        f"The daemon ended while job {job} was with it; the job is in the journal and runs again at the next start "
        f"('comfyd start', then 'comfyd watch {job}')."
    )


# ---------------------------------------------------------------- the daemon's process


def listens(paths: Paths) -> bool:
    """Whether a daemon is there, however busy it may be."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(paths.socket))
        except OSError:
            return False
    return True


def start_daemon(config: Config, paths: Paths) -> None:
    """Start a daemon and return once it answers; raises why it does not, DaemonRunning among others."""
    try:
        private_directory(paths.run)
        paths.state.mkdir(parents=True, exist_ok=True)
        with paths.log.open("ab") as log:
            printed = log.tell()
            report = _spawn(config, paths, log)
    except OSError as error:
        raise DaemonUnavailable(
            f"The daemon cannot be started ({error.strerror}: {error.filename}); correct that and try again."
        ) from error
    _check_report(report, paths, printed)


def _spawn(config: Config, paths: Paths, log: BinaryIO) -> bytes | None:
    """What a new daemon says of its start; empty if it dies without a word, None if it says nothing in time."""
    import subprocess  # only a start pays for its import

    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", 0) as report, os.fdopen(write_end, "wb", 0) as given:
        command = [sys.executable, "-P", "-m", "comfyd.daemon", "--detached", str(write_end)]
        environment = os.environ | hand_on(config, paths)
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write_end], env=environment, check=False
        )
        given.close()
        ready, _, _ = select.select([report], [], [], _START_LIMIT)
        return report.readline() if ready else None


def _check_report(report: bytes | None, paths: Paths, printed: int) -> None:
    if report == b"\n":
        return
    if report:
        raise from_info(msgspec.json.decode(report, type=ErrorInfo))
    if report is None:
        raise DaemonUnavailable(f"The daemon did not answer within {_START_LIMIT:g} s of its start; {paths.log} may say why.")
    words = paths.log.read_bytes()[printed:].decode(errors="replace").strip()
    last = words.rsplit("\n", 1)[-1] or "it said nothing"
    raise DaemonUnavailable(f"The daemon ended at its start ({last}); {paths.log} has the details.", words)


def _pid(paths: Paths) -> int:
    try:
        return int(paths.pid_file.read_text())
    except (OSError, ValueError):
        return 0


def _start_or_join(config: Config, paths: Paths) -> None:
    """Start a daemon, unless another client is just doing that."""
    try:
        start_daemon(config, paths)
    except DaemonRunning:
        deadline = time.monotonic() + _START_LIMIT
        while not listens(paths):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


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
    pid = _pid(paths)
    if not pid:
        raise DaemonUnavailable(f"The daemon's process is not known: {paths.pid_file} does not name it; end it by hand.")
    for _ in range(2 if now else 1):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    while listens(paths):
        time.sleep(0.01)
    return Stopped()
