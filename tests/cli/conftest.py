"""The installed executable in pipes and in pseudo-terminals, against a real daemon with the fake engine of this folder."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pexpect
import pytest

from tests.daemon_process import LIMIT, DaemonProcess, wait_until

COMFYD = Path(sys.executable).with_name("comfyd")


class Result(NamedTuple):
    """What a command in pipes left behind."""

    status: int
    out: str
    err: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Its NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Runs comfyd in one home, from a directory of its own."""

    def __init__(self, daemon: DaemonProcess, directory: Path) -> None:
        self.daemon = daemon
        self.directory = directory
        self._open: list[pexpect.spawn[str]] = []

    def run(self, *arguments: str, stdin: str = "") -> Result:
        """In pipes, to the end."""
        done = subprocess.run(
            [COMFYD, *arguments], input=stdin.encode(), capture_output=True, cwd=self.directory, timeout=LIMIT, check=False
        )
        return Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode())

    def open(self, *arguments: str, rows: int = 24, columns: int = 80) -> "pexpect.spawn[str]":
        """In a pseudo-terminal; closed after the test."""
        environment = dict(os.environ)  # not C's own, to which readline, once imported, adds a terminal's size
        child = pexpect.spawn(
            str(COMFYD),
            list(arguments),
            cwd=str(self.directory),
            env=environment,
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=LIMIT,
        )
        self._open.append(child)
        return child

    def close(self) -> None:
        for child in self._open:
            child.close(force=True)

    def hold(self, step: int | None) -> None:
        """The next sampler waits before this step; None lets it go on."""
        file = self.daemon.paths.data / "hold"
        if step is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(str(step))

    def wait_for_job(self, state: str) -> int:
        """The number of the first job that is in this state."""

        def found() -> int | None:
            jobs = self.run("queue", "--json").messages[0]["jobs"]
            return next((job["id"] for job in jobs if job["state"] == state), None)

        return wait_until(found, f"a job that is {state}") or 0


@pytest.fixture
def shell(daemon: DaemonProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell in which no daemon runs yet."""
    monkeypatch.setenv("COMFYD_WORKER_MODULE", str(Path(__file__).parent / "engine.py"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")  # nobody answers here when the cursor's place is asked for
    monkeypatch.setenv("COMFYD_PREVIEW", "blocks")  # nor when it is asked which pictures it shows
    for name in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    shell = Shell(daemon, tmp_path)
    yield shell
    shell.close()


def ended(child: "pexpect.spawn[str]") -> int:
    """Read to the end; the exit status."""
    child.expect(pexpect.EOF)
    child.wait()
    return int(child.exitstatus if child.exitstatus is not None else 128 + child.signalstatus)


def plain(text: str) -> str:
    """Without the terminal's control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
