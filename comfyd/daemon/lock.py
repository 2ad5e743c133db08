"""One daemon per socket: an exclusive lock on the pid file, held for the daemon's life."""

import fcntl
import os
from pathlib import Path
from typing import IO

from comfyd.config import Paths, private_directory
from comfyd.errors import DaemonRunning


class Lock:
    """The lock of this process; raises DaemonRunning when another process holds it. What a dead daemon left is cleared."""

    def __init__(self, paths: Paths) -> None:
        private_directory(paths.run)
        self._path = paths.pid_file
        self._file = _acquire(self._path)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        paths.socket.unlink(missing_ok=True)

    def release(self) -> None:
        """Let another daemon start; the file goes first, while it is still ours."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def _acquire(path: Path) -> IO[str]:
    while True:
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip()
            file.close()
            raise DaemonRunning(
                f"A daemon is already running (process {pid}); 'comfyd status' asks it, 'comfyd stop' ends it."
            ) from None
        if _is_at(path, file):
            return file
        file.close()  # the former owner removed the file between opening and locking


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
