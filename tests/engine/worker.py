"""A worker process under test, spoken to over its own socket as the daemon does."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import zmq

from comfyd import protocol
from comfyd.protocol import Cancelled, Done, Failed, FromWorker, Graph, JobEnd, Order, Ready, Run

TIMEOUT = 90_000  # milliseconds
M = TypeVar("M")


class WorkerProcess:
    """Starts ``python -m comfyd.worker`` and exchanges messages with it."""

    module = "comfyd.worker"

    def __init__(self, comfyui: Path, base: Path, data: Path, settings: dict[str, Any] | None = None) -> None:
        self.run_dir = tempfile.mkdtemp(prefix="cw-")
        self.base = base
        self.blackbox = Path(self.run_dir) / "blackbox"
        self._jobs = 0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PAIR)
        address = f"ipc://{self.run_dir}/w.sock"
        self._socket.bind(address)
        options = {
            "comfyui": str(comfyui),
            "engine_args": ["--cpu", "--base-directory", str(base), "--disable-api-nodes"],
            "data": str(data),
            "cache": str(base / "cache"),
        }
        env = os.environ | {
            "COMFYD_WORKER_ADDRESS": address,
            "COMFYD_WORKER_BLACKBOX": str(self.blackbox),
            "COMFYD_WORKER_SETTINGS": json.dumps(options | (settings or {})),
        }
        self.log = Path(self.run_dir) / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", self.module], env=env, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=base
            )

    def send(self, order: Order) -> None:
        self._socket.send(protocol.encode(order))

    def receive(self) -> FromWorker:
        if not self._socket.poll(TIMEOUT):
            raise TimeoutError(self.log.read_text(errors="replace")[-4000:])
        return protocol.decode_from_worker(self._socket.recv())

    def wait_for(self, kind: type[M] | tuple[type[M], ...], job: int | None = None) -> M:
        while True:
            message = self.receive()
            if isinstance(message, kind) and job in (None, getattr(message, "job", None)):
                return message

    def ready(self) -> Ready:
        return self.wait_for(Ready)

    def submit(self, graph: Graph, extra_data: dict[str, Any] | None = None) -> int:
        self._jobs += 1
        self.send(Run(job=self._jobs, graph=graph, extra_data=extra_data or {}))
        return self._jobs

    def events(self, jobs: Iterable[int]) -> list[FromWorker]:
        """All messages until each of these jobs has ended."""
        left, seen = set(jobs), []
        while left:
            message = self.receive()
            seen.append(message)
            if isinstance(message, (Done, Failed, Cancelled)):
                left.discard(message.job)
        return seen

    def run(self, graph: Graph) -> JobEnd:
        return self.run_all([graph])[0]

    def run_all(self, graphs: list[Graph]) -> list[JobEnd]:
        """Runs all of these at once; their final events in the order given."""
        jobs = [self.submit(graph) for graph in graphs]
        ends = {m.job: m for m in self.events(jobs) if isinstance(m, (Done, Failed, Cancelled))}
        return [ends[job] for job in jobs]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self._socket.close(0)
        self._context.term()


def done(end: JobEnd) -> Done:
    assert isinstance(end, Done), end
    return end


def failed(end: JobEnd) -> Failed:
    assert isinstance(end, Failed), end
    return end
