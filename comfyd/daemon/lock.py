"""One daemon per socket, and one per journal: exclusive locks on files, held for the daemon's life."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

from comfyd.config import Paths, private_directory
from comfyd.errors import DaemonRunning


class Locks:
    """The locks of this process; raises DaemonRunning where another one holds them. What a dead daemon left is cleared."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        private_directory(paths.run)
        paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)  # prompts are nobody else's business
        with contextlib.ExitStack() as taken:
            for path in (paths.pid_file, paths.state / "comfyd.lock"):
                _take(path, paths, taken)
            self._held = taken.pop_all()
        for leftover in (paths.socket, *paths.run.glob("worker-*")):
            leftover.unlink(missing_ok=True)

    def renew(self) -> None:
        """Lock the socket's directory again after it was removed; raises DaemonRunning where another daemon has it now."""
        private_directory(self._paths.run)
        _take(self._paths.pid_file, self._paths, self._held)

    def release(self) -> None:
        """Let another daemon start."""
        self._held.close()


def _take(path: Path, paths: Paths, held: contextlib.ExitStack) -> None:
    file = held.enter_context(_acquire(path, paths))
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    held.callback(_remove, path, file)  # while it is still ours, that is before the file is closed


def _remove(path: Path, file: IO[str]) -> None:
    if _is_at(path, file):
        path.unlink(missing_ok=True)


def _acquire(path: Path, paths: Paths) -> IO[str]:
    while True:
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                raise DaemonRunning(_sentence(path, paths, _holder(file))) from None
        if _is_at(path, file):
            return file
        file.close()  # the former owner removed the file between opening and locking


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip()


def _sentence(path: Path, paths: Paths, pid: str) -> str:
    if path == paths.pid_file:
        return f"A daemon is already running (process {pid}); `comfyd status` asks it, `comfyd stop` ends it."
    return (
        f"Another daemon (process {pid}) uses the journal {paths.journal} but not the socket {paths.socket}; "
        "set XDG_RUNTIME_DIR as it was where that one was started, or end it."
    )


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
