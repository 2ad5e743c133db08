"""What the worker prints: goes to the log line by line, and its last lines are kept for messages."""

import asyncio
import contextlib
import logging
import os
import re
from collections import deque
from collections.abc import Callable

log = logging.getLogger("comfyd.worker")

_KEPT = 40  # lines
_LONGEST = 4000  # bytes of a line
_COLOURS = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


class Output:
    """A pipe of which the worker gets ``write_end``; read on the loop until ``close``."""

    def __init__(self, job: Callable[[], int | None] = lambda: None) -> None:
        self._job = job
        """Whose node executes."""
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._partial = b""
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_end, self._read)

    def started(self) -> None:
        """The worker has its own copy of the write end."""
        os.close(self.write_end)

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._lines)

    def close(self) -> None:
        """Read what is left; a child of the worker may hold the pipe open for ever, so that its end is not waited for."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._read_end, 65536):
                self._take(data)
        self._take(b"\n")
        self._loop.remove_reader(self._read_end)
        os.close(self._read_end)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._read_end, 65536)
            self._take(data)
            if not data:
                self._loop.remove_reader(self._read_end)

    def _take(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        self._partial = self._partial[-_LONGEST:]
        job = self._job() if lines else None
        for line in lines:
            self._keep(line, job)

    def _keep(self, line: bytes, job: int | None) -> None:
        shown = _COLOURS.sub(b"", line.rstrip(b"\r").rsplit(b"\r", 1)[-1])  # of a progress bar its last state
        if text := shown[:_LONGEST].decode(errors="replace").rstrip():
            self._lines.append(text)
            log.info("%s", text, extra={"job": job})
