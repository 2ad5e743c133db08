"""Whole commands, process start to exit."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .report import Row
from .sides import Comfyd, Work

_COMFYD = str(Path(sys.executable).with_name("comfyd"))
_IMPORTS = [sys.executable, "-c", "import typer, rich"]


def measure(ours: Comfyd, work: Work, samples: int) -> list[Row]:
    """``comfyd run`` of a cached graph and the bare import of its terminal libraries, in turn; ``comfyd start`` from nothing."""
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        file = Path(folder) / "workflow.json"
        file.write_text(json.dumps(work.seeded(1)))
        run = [_COMFYD, "run", str(file), "--quiet"]
        pair: tuple[list[float], list[float]] = ([], [])
        for number in range(samples + 2):
            for command, times in zip((run, _IMPORTS), pair, strict=True):
                elapsed = _timed(command)
                if number >= 2:  # the first two fill the file cache
                    times.append(elapsed)
        seeds = [_timed([*run, "seed", str(5000 + number)]) for number in range(samples)]
        starts = [_start(Path(folder) / str(number)) for number in range(5)]
    return [
        Row("`comfyd run`, cached, whole process", *pair, "`import typer, rich`"),
        Row("`comfyd run`, another seed, whole process", seeds, [1500.0], "goal"),
        Row("`comfyd start` returns", starts, [300.0], "goal"),
    ]


def _start(home: Path) -> float:
    """``comfyd start`` in a home of its own, and its daemon stopped again."""
    environment = os.environ | {"COMFYD_HOME": str(home)}
    elapsed = _timed([_COMFYD, "start"], environment)
    _timed([_COMFYD, "stop", "--now"], environment)
    return elapsed


def _timed(command: list[str], environment: dict[str, str] | None = None) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return (time.perf_counter() - begun) * 1000
