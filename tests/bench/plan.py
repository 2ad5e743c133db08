"""Plans: ``python -m tests.bench.plan [--comfyui TREE] [WORKFLOW...]``; what a plan of large workflows costs, and how true it is.

Workflows are UI or API files, for example the largest of ComfyUI's templates. Model and image files that they name are made up,
as nothing of them runs. Then ten runs of the demo workflow, each planned before: estimated and real seconds, on the CPU or GPU.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from comfyd.client import Client
from comfyd.protocol import Done, Graph, PlanReply, PlanRequest, Submit
from comfyd.workflow import Catalogue, load, prepare
from comfyd.workflow.values.constants import INPUT_FILES, MODEL_FILES

from .sides import Comfyd
from .sides import prepare as home
from .timing import figures, timed

_COMFYD = str(Path(sys.executable).with_name("comfyd"))
_FOLDERS = [
    "checkpoints",
    "diffusion_models",
    "text_encoders",
    "vae",
    "loras",
    "clip_vision",
    "upscale_models",
    "controlnet",
    "model_patches",
]
_RUNS = (
    "seed 11",
    "seed 12",
    "seed 13 steps 20",
    "seed 14 steps 20",
    "seed 15 steps 40",
    "seed 16 width 192 height 192",
    "seed 17",
    "seed 18 prompt a violin",
    "seed 19 batch 2",
    "seed 20 steps 5",
)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plan", description=__doc__)
    parser.add_argument("workflows", type=Path, nargs="*")
    parser.add_argument("--comfyui", type=Path, help="ComfyUI tree to use instead of the managed one")
    parser.add_argument("--samples", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        base = Path(folder) / "base"
        base.mkdir()
        paths, _ = home(Path(folder), options.comfyui)
        os.environ["COMFYD_ENGINE_ARGS"] += f" --base-directory {base}"
        with Comfyd(paths) as daemon:
            catalogue = Catalogue.read(next(paths.cache.glob("catalogue-*.json")))
            for file in options.workflows:
                given = load(str(file))
                graph = prepare(given.api, given.ui, catalogue)
                make_files(graph, base)
                cost(daemon.client, file, len(graph), PlanRequest(api=given.api, ui=given.ui, workflow="bench"), options.samples)
            accuracy(daemon.client)


def make_files(graph: Graph, base: Path) -> None:
    """Something by the name of each model and image file."""
    for name in {value for node in graph.values() for value in node["inputs"].values() if isinstance(value, str)}:
        if name.lower().endswith(MODEL_FILES):
            for folder in _FOLDERS:
                file = base / "models" / folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"nothing")
        elif name.lower().endswith(INPUT_FILES[:4]) and "\n" not in name:
            file = base / "input" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 64)).save(file)


def cost(client: Client, file: Path, nodes: int, request: PlanRequest, samples: int) -> None:
    """The round trip, and the whole command beside one that only asks for the status."""
    client.call(request)
    trips = [timed(lambda: client.call(request)) for _ in range(samples)]
    commands = ([_COMFYD, "plan", str(file)], [_COMFYD, "status"])
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(samples):
        for command, each in zip(commands, times, strict=True):
            each.append(timed(lambda command=command: subprocess.run(command, check=True, capture_output=True)))
    print(f"{file.name}: {nodes} nodes")
    print(f"  round trip {figures(trips)}")
    print(f"  comfyd plan {figures(times[0])}, comfyd status {figures(times[1])}")
    print(f"  beyond the bare client {statistics.median(times[0]) - statistics.median(times[1]):.1f} ms (bound 150)")


def accuracy(client: Client) -> None:
    """Plans and runs of the demo workflow in turn; two runs before them are what is known at first."""
    graph: dict[str, Any] = load("demo").api or {}
    for seed in ("1", "2"):
        client.call(Submit(api=graph, workflow="demo", words=["seed", seed]))
    errors: list[float] = []
    for words in _RUNS:
        given = {"api": graph, "workflow": "demo", "words": words.split()}
        reply, end = client.call(PlanRequest(**given)), client.call(Submit(**given))
        assert isinstance(reply, PlanReply)
        assert isinstance(end, Done)
        run = {node.node for node in reply.nodes if node.state == "run"}
        estimate = reply.seconds or 0.0
        errors.append(abs(estimate - end.seconds) / end.seconds)
        same = "same nodes" if run == set(end.executed) else f"OTHER NODES: {sorted(run)} {sorted(end.executed)}"
        peak = f"peak {(reply.memory.peak or 0) >> 20} MiB, real {end.peak_memory >> 20}"
        print(f"{words:32} estimated {estimate:6.2f} s, real {end.seconds:6.2f} s, {same}, {peak}")
    print(f"median error {statistics.median(errors):.0%}, largest {max(errors):.0%}")


if __name__ == "__main__":
    main()
