"""Whole commands, process start to exit."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .ledger import Ledger
from .work import Work

_COMFYD = str(Path(sys.executable).with_name("comfyd"))
_IMPORTS = [sys.executable, "-c", "import typer, rich"]


def measure(ledger: Ledger, work: Work, samples: int) -> None:
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
    ledger.add("command", what="`comfyd run`, cached, whole process", ms=pair[0])
    ledger.add("command", what='`python -c "import typer, rich"`', ms=pair[1])
    ledger.add("command", what="`comfyd run`, another seed, whole process", ms=seeds)
    ledger.add("command", what="`comfyd start` returns", ms=starts)


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
