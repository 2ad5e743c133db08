"""Clients: ``python -m tests.bench.clients``; what commands cost on a large workflow, what an import costs, what memory is held.

The workflow is by default the template of ComfyUI's own package that converts to the most nodes. Commands are timed as whole
processes in turn with ``comfyd --version``, the bare client.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import psutil

from comfyd.errors import ComfydError
from comfyd.protocol import StatusReply, StatusRequest
from comfyd.workflow import Catalogue, load, prepare

from .sides import Comfyd, Work
from .sides import prepare as home

_COMFYD = str(Path(sys.executable).with_name("comfyd"))
_IMPORT = [sys.executable, "-c", "import comfyd; comfyd.connect"]
_BOUND = 150


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.clients", description=__doc__)
    parser.add_argument("workflow", type=Path, nargs="?")
    parser.add_argument("--comfyui", type=Path, help="ComfyUI tree to use instead of the managed one")
    parser.add_argument("--samples", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        paths, _ = home(Path(folder), options.comfyui)
        with Comfyd(paths) as daemon:
            known = Catalogue.read(next(paths.cache.glob("catalogue-*.json")))
            workflow = options.workflow or largest(known)
            nodes = len(graph_of(workflow, known))
            print(f"{workflow.name}: {workflow.stat().st_size / 1024:.0f} kB, {nodes} nodes as a graph")
            commands(workflow, options.samples)
            footprint(daemon)


def largest(known: Catalogue) -> Path:
    """The template with the most nodes."""
    templates = Path(str(files("comfyui_workflow_templates_json") / "templates"))
    big = sorted(templates.glob("*.json"), key=lambda file: -file.stat().st_size)[:40]
    return max(big, key=lambda file: len(graph_of(file, known)))


def graph_of(file: Path, known: Catalogue) -> dict[str, object]:
    """Its graph, or nothing where it does not convert."""
    try:
        given = load(str(file))
        return prepare(given.api, given.ui, known)
    except ComfydError:
        return {}


def commands(workflow: Path, samples: int) -> None:
    """Each command beyond the bare client, and the Python client's import beyond a bare interpreter."""
    asked = {
        "comfyd --version": [_COMFYD, "--version"],
        "comfyd convert": [_COMFYD, "convert", str(workflow)],
        "comfyd params": [_COMFYD, "params", str(workflow)],
        "comfyd run --help": [_COMFYD, "run", str(workflow), "--help"],
        "comfyd run demo --help": [_COMFYD, "run", "demo", "--help"],
        "import comfyd": _IMPORT,
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(samples + 2):
        for name, command in asked.items():
            begun = time.perf_counter()
            subprocess.run(command, check=False, capture_output=True)
            if number >= 2:  # the first two fill the file cache
                times[name].append((time.perf_counter() - begun) * 1000)
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, median in medians.items():
        bare = medians["python -c pass" if name == "import comfyd" else "comfyd --version"]
        beyond = f", {median - bare:+.0f} ms beyond the bare {'interpreter' if name == 'import comfyd' else 'client'}"
        print(f"{name:24} {median:.0f} ms{'' if name in ('comfyd --version', 'python -c pass') else beyond}")
    print(f"(bound {_BOUND} ms beyond the bare client; 100 ms for the import)")


def footprint(daemon: Comfyd) -> None:
    """Resident memory of daemon and worker, ready and after some jobs."""
    status = daemon.client.call(StatusRequest())
    assert isinstance(status, StatusReply)
    work = Work.demo()
    print(f"ready: {_memory(status)}")
    for seed in range(5):
        daemon.run(work.seeded(seed))
    print(f"after five jobs: {_memory(status)} (bound of the daemon 60 MB)")


def _memory(status: StatusReply) -> str:
    both = (("daemon", status.pid), ("worker", status.engine.pid))
    return ", ".join(f"{name} {psutil.Process(pid).memory_info().rss / 1e6:.0f} MB" for name, pid in both)


if __name__ == "__main__":
    main()
