"""Completion: ``python -m tests.bench.completion [CATALOGUE]``; a key press in a REPL, and a whole process as a shell starts one.

The catalogue (a file the engine has left in a cache folder; by default the tests' excerpt) is filled up to 2,000 node classes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from comfyd_cli.commands import REPL
from comfyd_cli.completion import candidates
from comfyd_cli.completion.known import Known

from comfyd import config

from .timing import figures, timed

EXCERPT = Path(__file__).parents[1] / "unit" / "workflow" / "catalogue.json"
LINES = (
    "",
    "s",
    "st",
    "run se",
    "smplr",
    "seed ",
    "sampler ",
    "prompt a red fox with a hat seed",
    "seed 4 steps 20 --",
    "use ",
    '"Pos',
)
_CLASSES = 2000
_SHELL = """
import sys
from comfyd import config
from comfyd_cli.commands import SHELL
from comfyd_cli.completion import for_words
from comfyd_cli.completion.known import Known
print(*(each.text for each in for_words(sys.argv[1:], Known(config.paths(), SHELL))), sep="\\n")
"""


def main() -> None:
    """Measures and prints; bounds are 30 ms for a key press, 150 ms for a process."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.completion", description=__doc__)
    parser.add_argument("catalogue", type=Path, nargs="?", default=EXCERPT)
    parser.add_argument("--workflow", default="demo")
    parser.add_argument("--samples", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        paths = config.paths({"COMFYD_HOME": folder})
        paths.cache.mkdir(parents=True)
        size = fill(options.catalogue, paths.cache / "catalogue-bench.json")
        print(f"{_CLASSES} node classes, {size / 2**20:.1f} MiB; workflow {options.workflow}")
        key_presses(paths, options.workflow, options.samples)
        processes(Path(folder), options.workflow, options.samples)


def fill(source: Path, target: Path) -> int:
    """Writes a catalogue of 2,000 classes, those of the source again and again under other names; its size in bytes."""
    content = json.loads(source.read_text())
    nodes = content["nodes"]
    known = list(nodes.items())
    for number in range(_CLASSES - len(nodes)):
        name, entry = known[number % len(known)]
        nodes[f"{name}Again{number}"] = entry
    return target.write_text(json.dumps(content))


def key_presses(paths: config.Paths, workflow: str, samples: int) -> None:
    """One key press each at the end of several lines; the first, which builds the index, apart."""
    known = Known(paths, REPL, workflow=workflow)
    print(f"first key press, index built  {timed(lambda: candidates('se', 2, known)):.1f} ms")
    times = {line: [timed(lambda line=line: candidates(line, len(line), known)) for _ in range(samples)] for line in LINES}
    for line, each in times.items():
        print(f"key press {line!r:40} {figures(each)}")
    print(f"key press, the slowest median  {max(map(statistics.median, times.values())):.1f} ms (bound 30)")


def processes(home: Path, workflow: str, samples: int) -> None:
    """A process as a shell starts one for Tab, in turn with one that imports nothing."""
    environment = os.environ | {"COMFYD_HOME": str(home)}
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "a command's name": [sys.executable, "-c", _SHELL, "st"],
        "a parameter's name": [sys.executable, "-c", _SHELL, "run", workflow, "se"],
        "a choice": [sys.executable, "-c", _SHELL, "run", workflow, "sampler", "eu"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(samples + 2):
        for name, command in commands.items():
            run = timed(lambda command=command: subprocess.run(command, check=True, capture_output=True, env=environment))
            if number >= 2:  # the first two fill the file cache
                times[name].append(run)
    for name, each in times.items():
        print(f"process, {name:20} {figures(each)} (bound 150)")


if __name__ == "__main__":
    main()
