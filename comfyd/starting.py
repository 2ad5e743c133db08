"""The daemon's process as a client sees it: whether it is there, and how it is started. Imports no asyncio."""

import contextlib
import os
import select
import socket
import sys
import time
from typing import BinaryIO

import msgspec

from .config import Config, Paths, hand_on, private_directory
from .errors import DaemonRunning, DaemonUnavailable, from_info
from .protocol import ErrorInfo

_START_LIMIT = 20.0  # seconds a daemon may take until it answers


def listens(paths: Paths) -> bool:
    """Whether a daemon is there, however busy it may be."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(paths.socket))
        except OSError:
            return False
    return True


def watch(paths: Paths) -> int | None:
    """A descriptor that can be read once the process that listens now has ended; None where there is none to be had."""
    if not (hasattr(os, "pidfd_open") and hasattr(socket, "SO_PEERCRED")):
        return None
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(paths.socket))
        pid = int.from_bytes(probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4), sys.byteorder)
        return os.pidfd_open(pid)
    return None


def has_ended(watched: int) -> bool:
    """Whether the process behind a descriptor of ``watch`` has ended."""
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    return bool(poll.poll(0))


def start_daemon(config: Config, paths: Paths) -> None:
    """Start a daemon and return once it answers; raises why it does not, DaemonRunning among others."""
    try:
        private_directory(paths.run)
        paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with paths.log.open("ab") as log:
            printed = log.tell()
            report = _spawn(config, paths, log)
    except OSError as error:
        raise DaemonUnavailable(f"The daemon cannot be started ({error}); correct that and try again.") from error
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


def pid_of(paths: Paths) -> int:
    """The daemon's process, 0 if it is not known."""
    try:
        return int(paths.pid_file.read_text())
    except (OSError, ValueError):
        return 0


def start_or_join(config: Config, paths: Paths) -> None:
    """Start a daemon, unless another client is just doing that."""
    try:
        start_daemon(config, paths)
    except DaemonRunning:
        deadline = time.monotonic() + _START_LIMIT
        while not listens(paths):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
