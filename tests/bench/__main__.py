"""The benchmarks: ``python -m tests.bench``; ratios from one interleaved run, as a Markdown table.

On the CPU with the demo model by default; ``--checkpoint`` with a file of the engine's makes it an SD1.5-layout graph on whatever
device the engine uses. Numbers are medians; the machine should be otherwise idle.
"""

import argparse
import json
import platform
import tempfile
from pathlib import Path

from . import command, report, roundtrip, warm
from .sides import Comfyd, Stock, Work, prepare


def main() -> None:
    """Runs the parts asked for, prints the table, writes the figures as JSON."""
    options = _options()
    work = Work.demo() if options.checkpoint is None else Work.checkpoint(options.checkpoint, options.size, options.steps)
    rows = []
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        home, engine = prepare(Path(folder), options.comfyui)
        with Stock(engine, home, work, tuple(options.stock_argument)):
            pass  # reads torch and ComfyUI into the file cache, so that neither side's start pays for it
        with Comfyd(home) as ours, Stock(engine, home, work, tuple(options.stock_argument)) as stock:
            rows += warm.measure(ours, stock, work, options.samples)
            rows += roundtrip.measure(ours, stock, work, options.round_trips)
            rows += command.measure(ours, work, options.samples)
            rows += warm.start_up(ours, stock)
            same = warm.same_pixels(ours, stock, work)
            where = f"{ours.device}, {platform.processor() or platform.machine()}, Python {platform.python_version()}"
    print(report.table(rows, where))
    print(f"\nPixels equal to the stock server's: {'yes' if same else 'NO'}.")
    if options.json:
        options.json.write_text(json.dumps([row.as_dict() for row in rows], indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--comfyui", type=Path, help="ComfyUI tree to use instead of the managed one")
    parser.add_argument("--checkpoint", help="SD1.5-layout checkpoint in its models/checkpoints (default: the demo workflow)")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--samples", type=int, default=12, help="interleaved pairs of the timed runs")
    parser.add_argument("--round-trips", type=int, default=300)
    parser.add_argument("--stock-argument", action="append", default=[], help="a further argument for stock ComfyUI's main.py")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
