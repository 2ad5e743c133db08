"""The REPL's first prompt: ``python -m tests.bench.repl [--litecli PATH]``; from the process' start to a prompt that takes keys.

In a pseudo-terminal, with a daemon that runs (the tests' fake engine), in turn with a bare Python that imports prompt-toolkit,
and with litecli where its executable is named.
"""

import argparse
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pexpect

COMFYD = Path(sys.executable).with_name("comfyd")
ENGINE = Path(__file__).parents[1] / "cli" / "engine.py"
BOUND = 300
_READY = b"\x1b[?2004h"
"""prompt-toolkit switches bracketed paste on once it reads keys."""
_BARE = "from prompt_toolkit import PromptSession; PromptSession().prompt('> ')"
_LIMIT = 30.0


def main() -> None:
    """Measures and prints medians, and the ratio to litecli's."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.repl", description=__doc__)
    parser.add_argument("--litecli", default=shutil.which("litecli"), help="its executable")
    parser.add_argument("--samples", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        environment = os.environ | {"COMFYD_HOME": folder, "COMFYD_WORKER_MODULE": str(ENGINE), "TERM": "xterm-256color"}
        (Path(folder) / "data").mkdir()
        subprocess.run([COMFYD, "run", "demo"], env=environment, check=True, capture_output=True)
        try:
            report(_measured(_sides(options.litecli, folder), environment, options.samples))
        finally:
            subprocess.run([COMFYD, "stop", "--now"], env=environment, check=False, capture_output=True)


def _sides(litecli: str | None, folder: str) -> dict[str, list[str]]:
    sides = {"comfyd": [str(COMFYD)], "PromptSession alone": [sys.executable, "-c", _BARE]}
    if litecli:
        sides["litecli"] = [litecli, str(Path(folder) / "bench.sqlite")]
    return sides


def _measured(sides: Mapping[str, Sequence[str]], environment: Mapping[str, str], samples: int) -> dict[str, list[float]]:
    """Milliseconds of each side, taken in turn; the first two fill the file cache."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(samples + 2):
        for name, command in sides.items():
            taken = first_prompt(command, environment)
            if number >= 2:
                times[name].append(taken)
    return times


def first_prompt(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Milliseconds until the program reads keys."""
    begun = time.perf_counter()
    child = pexpect.spawn(command[0], list(command[1:]), env=dict(environment), dimensions=(24, 80), timeout=_LIMIT)
    seen, taken = b"", 0.0
    while _READY not in seen:
        assert select.select([child.child_fd], [], [], _LIMIT)[0], f"{command[0]} showed no prompt: {seen!r}"
        seen += os.read(child.child_fd, 65536)
    taken = (time.perf_counter() - begun) * 1000
    child.kill(signal.SIGKILL)
    child.close(force=True)
    return taken


def report(times: Mapping[str, Sequence[float]]) -> None:
    """One line for each side."""
    for name, each in times.items():
        ordered = sorted(each)
        bound = f" (bound {BOUND})" if name == "comfyd" else ""
        high = ordered[round(0.95 * (len(ordered) - 1))]
        print(f"first prompt, {name:20} {statistics.median(ordered):.0f} ms (p95 {high:.0f}){bound}")
    ours = statistics.median(times["comfyd"])
    for name in times:
        if name != "comfyd":
            print(f"comfyd / {name}: {ours / statistics.median(times[name]):.2f}")


if __name__ == "__main__":
    main()
