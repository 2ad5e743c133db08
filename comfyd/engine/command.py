"""Runs a tool for its effect and hears what it says line by line; the tool does not outlive the call."""

import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TAIL = 40  # lines kept for the error's detail


@dataclass(frozen=True)
class Outcome:
    """How a tool ended, and its last lines of output."""

    status: int
    tail: str


def run(
    command: list[str], cwd: Path, heard: Callable[[str], None] = lambda line: None, env: Mapping[str, str] | None = None
) -> Outcome:
    """Run to the end, calling ``heard`` with each line; OSError where the tool does not exist."""
    tail: deque[str] = deque(maxlen=_TAIL)
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                tail.append(line)
                heard(line)
            status = process.wait()
        except BaseException:
            _kill(process)
            raise
    return Outcome(status, "".join(tail))


def _kill(process: subprocess.Popen[str]) -> None:
    """End the tool and whatever it started: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
