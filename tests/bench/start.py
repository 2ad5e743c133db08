"""Cold starts: ``python -m tests.bench.start``; a worker until it takes jobs and until its first picture, and the stock server.

Every start is a process of its own, measured from its spawn; the sides alternate. The worker's very first start, which imports
everything and writes the node catalogue, is shown apart. CPU seconds are those of the process, of all its threads.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfyd import config
from comfyd.demo import checkpoint
from comfyd.engine import install
from comfyd.protocol import Graph
from tests.engine.worker import WorkerProcess, done

from .sides import Work

_LIMIT = 180.0


@dataclass
class Figures:
    """One way to start: wall and CPU seconds until ready, wall seconds from the start to the first picture on disk."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    picture: list[float] = field(default_factory=list)

    def row(self) -> str:
        cells = [f"{statistics.median(values):.2f} s" if values else "" for values in (self.wall, self.cpu, self.picture)]
        return f"| {self.name} | {' | '.join(cells)} |"


class Bench:
    """A base directory without node packs, and an engine to start on it."""

    def __init__(self, folder: Path, comfyui: Path, arguments: list[str]) -> None:
        self._comfyui = comfyui
        self._base = folder / "base"
        self._data = folder / "data"
        for name in ("models/checkpoints", "input", "output", "temp", "user", "custom_nodes", "front-end"):
            (self._base / name).mkdir(parents=True)
        (self._base / "front-end" / "index.html").write_text("ok")
        (self._data / "demo").mkdir(parents=True)
        checkpoint.write(self._data / "demo" / checkpoint.NAME)
        (self._base / "models" / "checkpoints" / checkpoint.NAME).symlink_to(self._data / "demo" / checkpoint.NAME)
        accelerator = Path("/dev/nvidiactl").exists()
        self._arguments = ["--base-directory", str(self._base), *([] if accelerator else ["--cpu"]), *arguments]
        self._graph = Work.demo().graph

    def worker(self, figures: Figures, *more: str, **settings: Any) -> None:
        """One start of a worker, and the demo picture as its first job, sent at once."""
        begun = time.perf_counter()
        settings["engine_args"] = [*self._arguments, *more]
        process = WorkerProcess(self._comfyui, self._base, self._data, settings)
        try:
            process.ready()
            figures.wall.append(time.perf_counter() - begun)
            figures.cpu.append(_cpu(process.process.pid))
            done(process.run(self._graph))
            figures.picture.append(time.perf_counter() - begun)
        finally:
            process.close()

    def stock(self, figures: Figures, *more: str) -> None:
        """One start of ComfyUI's server, and the same picture."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = [sys.executable, "main.py", "--port", str(port), "--front-end-root", str(self._base / "front-end")]
        begun = time.perf_counter()
        with (self._base / "stock.log").open("wb") as log:
            process = subprocess.Popen([*command, *self._arguments, *more], cwd=self._comfyui, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _until(lambda: _get(f"{url}/system_stats"))
            figures.wall.append(time.perf_counter() - begun)
            figures.cpu.append(_cpu(process.pid))
            _first_picture(url, self._graph)
            figures.picture.append(time.perf_counter() - begun)
        finally:
            process.kill()
            process.wait()


def _first_picture(url: str, graph: Graph) -> None:
    body = json.dumps({"prompt": graph}).encode()
    request = urllib.request.Request(f"{url}/prompt", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        prompt = json.load(reply)["prompt_id"]
    ended = _until(lambda: _get(f"{url}/history/{prompt}").get(prompt))
    assert ended["status"]["status_str"] == "success", ended["status"]


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as reply:
        return json.load(reply)


def _until(answer: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _LIMIT
    while time.monotonic() < deadline:
        try:
            if found := answer():
                return found
        except OSError:
            pass
        time.sleep(0.01)
    raise TimeoutError("the stock server does not answer")


def _cpu(pid: int) -> float:
    """Seconds of CPU the process has used, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Runs the starts and prints their table."""
    options = _options()
    comfyui = options.comfyui.absolute() if options.comfyui else install(config.paths()).comfyui
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        bench = Bench(Path(folder), comfyui, options.argument)
        first, again = Figures("worker, its first start ever"), Figures("**worker**")
        stock, bare = Figures("stock server, default arguments"), Figures("stock server, --disable-api-nodes")
        bench.stock(Figures("reads everything into the file cache"))
        bench.worker(first)
        for _ in range(options.runs):
            bench.worker(again)
            bench.stock(stock)
            bench.stock(bare, "--disable-api-nodes")
    rows = [first, again, stock, bare]
    print("| start | ready, wall | ready, CPU | first picture, wall |\n|---|---|---|---|")
    print("\n".join(row.row() for row in rows))
    for side in (stock, bare):
        wall, cpu = (statistics.median(theirs) / statistics.median(ours) for theirs, ours in _pairs(side, again))
        print(f"\n{side.name}: ready {wall:.2f} times later than the worker, with {cpu:.2f} times its CPU seconds.")
    print(f"\nload average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    if options.json:
        options.json.write_text(json.dumps([vars(row) for row in rows], indent=1))


def _pairs(one: Figures, other: Figures) -> list[tuple[list[float], list[float]]]:
    return [(one.wall, other.wall), (one.cpu, other.cpu)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("--comfyui", type=Path, help="ComfyUI tree to use instead of the managed one")
    parser.add_argument("--runs", type=int, default=5, help="starts of each side")
    parser.add_argument("--argument", action="append", default=[], help="a further argument for both sides")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
