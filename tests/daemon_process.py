"""A real daemon process with the fake engine, and what tests ask of it from outside."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from comfyd import config
from comfyd.client import Client, listens, start_daemon
from comfyd.protocol import Accepted, Graph, JobEnd, StatusReply, StatusRequest, Submit, ToClient, Watch

T = TypeVar("T")
LIMIT = 30.0  # seconds without a message after which a test has failed


class DaemonProcess:
    """The daemon of one COMFYD_HOME; may be started more than once in turn."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.paths = config.paths({"COMFYD_HOME": str(home)})
        self.config = config.Config()
        self.paths.data.mkdir(parents=True)

    def start(self, **settings: Any) -> Self:
        """Start it with these settings, detached as `comfyd start` does; returns once it answers."""
        self.config = config.Config(**settings)
        start_daemon(self.config, self.paths)
        return self

    def client(self) -> Client:
        """A client that never starts a daemon."""
        return Client(self.config, self.paths).connect(start=False)

    @property
    def pid(self) -> int:
        return int(self.paths.pid_file.read_text())

    @property
    def log(self) -> str:
        return self.paths.log.read_text()

    def status(self) -> StatusReply:
        """Asked over a connection of its own."""
        with self.client() as client:
            reply = client.call(StatusRequest(), timeout=LIMIT)
        assert isinstance(reply, StatusReply)
        return reply

    def ready(self) -> StatusReply:
        """The status once the engine is ready."""
        wait_until(lambda: self.status().engine.state == "ready", "a ready engine")
        return self.status()

    def kill(self) -> None:
        """As `kill -9` does."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid) and not listens(self.paths), "the daemon's death")

    def end(self) -> None:
        """Whatever is left of it."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            if listens(self.paths):
                self.kill()

    def file(self, name: str) -> Path:
        """A path in the home for a graph's nodes to wait for."""
        return self.home / name

    def say_at_start(self, words: str) -> None:
        """What the next worker is to do at its start; see fake_engine."""
        (self.paths.data / "start").write_text(words)


def detach(client: Client, graph: Graph) -> int:
    """The number of a job that nobody follows."""
    accepted = client.call(Submit(api=graph, follow=False))
    assert isinstance(accepted, Accepted)
    return accepted.job


def end_of(client: Client, job: int) -> JobEnd:
    """A job's final event."""
    end = client.call(Watch(job=job))
    assert isinstance(end, JobEnd)
    return end


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends between opening and reading
        return False


def wait_until(condition: Callable[[], T], what: str = "", limit: float = LIMIT) -> T:
    """The condition's first true value; fails where it does not come. The limit is for broken code, not a measure."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, f"waited in vain for {what or condition}"
        time.sleep(0.005)
    return value


def graph(*nodes: str, **inputs: Any) -> Graph:
    """A graph of these fake node classes, ids from 1; the inputs are the last one's."""
    return {
        str(number): {"class_type": name, "inputs": inputs if number == len(nodes) else _DEFAULTS.get(name, {})}
        for number, name in enumerate(nodes, 1)
    }


_DEFAULTS: dict[str, dict[str, Any]] = {"Echo": {"text": "x"}, "Steps": {"steps": 2}}


def submit(name: str, **inputs: Any) -> Submit:
    """A graph of one node."""
    return Submit(api=graph(name, **inputs), workflow=name.lower())


def read_to(stream: Any, kind: type[T]) -> T:
    """Read messages up to the first of a kind."""
    for message in stream:
        if isinstance(message, kind):
            return message
    raise AssertionError(f"the stream ended without {kind.__name__}")


def final(stream: Any) -> ToClient:
    """Read all messages and return the last."""
    *_, last = stream
    return last
