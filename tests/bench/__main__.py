"""The benchmark: ``python -m tests.bench``; every figure from one run on the same files, as the README's Markdown.

On the CPU with the demo model by default; ``--work sd15.safetensors:512`` (a checkpoint of the engine's and a size; more than
once for several) makes it the stock text-to-image graph, 20 steps euler / normal, cfg 7, on whatever device the engine uses.
Sides are comfyd in exact and in fast mode and stock ComfyUI's server, default and tuned; phases are the table's rows.
``--json FILE`` gets each figure as soon as it is measured; ``--table FILE...`` prints the table of such files without measuring.
"""

import argparse
import contextlib
import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import cold, command, interleaved, limits, machine, report
from .ledger import Ledger
from .sides import TUNED, Comfyd, Fast, Side, Stock, Work, prepare

PHASES = ("first", "seed", "text", "1", "2", "4", "cached", "limits", "cold", "command")
"""Digits: pictures of so many steps."""
SIDES = ("exact", "fast", "default", "tuned")


def main() -> None:
    """Measures what was asked for, and prints the table."""
    options = _options()
    if options.table:
        print(report.markdown(Ledger.read(*options.table)))
        return
    ledger = Ledger(options.json)
    works = [_work(text, options) for text in options.work] or [(Work.demo(), options.phases)]
    with contextlib.nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory(prefix="cb-") as folder:
        _measure(options, ledger, works, Path(folder))
    print(report.markdown(ledger))


def _measure(options: argparse.Namespace, ledger: Ledger, works: list[tuple[Work, list[str]]], folder: Path) -> None:
    home, engine = prepare(folder, options.comfyui)
    ledger.add("machine", **machine.describe(engine))
    with contextlib.ExitStack() as stack:
        stocks: list[Side] = []
        for name, arguments in (("default", ()), ("tuned", TUNED)):
            if name in options.sides:
                stock = stack.enter_context(
                    Stock(name, engine, home, [work for work, _ in works], (*arguments, *options.stock_argument))
                )
                ledger.add("ready", side=name, ms=[stock.ready_seconds * 1000])
                stocks.append(stock)
        with Comfyd(home) as before:
            starts = [before.ready_seconds * 1000]  # with a node catalogue to make
        ours = stack.enter_context(Comfyd(home))
        ledger.add("ready", side="exact", ms=[*starts, ours.ready_seconds * 1000])
        mine: dict[str, Side] = {"exact": ours, "fast": Fast(ours)}
        sides = [*(side for name, side in mine.items() if name in options.sides), *stocks]
        for work, phases in works:
            for phase, run in _runs(options, ledger, sides, work, engine, folder).items():
                if phase in phases:
                    _phase(ledger, work, phase, run)
            for side in sides:
                side.free()


def _phase(ledger: Ledger, work: Work, phase: str, run: Callable[[], None]) -> None:
    """One phase; what goes wrong in it is a figure like any other, and the next one follows."""
    begun = time.monotonic()
    try:
        run()
    except Exception as error:
        ledger.add("failed", what=f"{work.name}, {phase}", detail=f"{type(error).__name__}: {error}"[:2000])
    ledger.add("took", work=work.name, phase=phase, seconds=round(time.monotonic() - begun, 1))


def _runs(
    options: argparse.Namespace, ledger: Ledger, sides: list[Side], work: Work, engine: Path, folder: Path
) -> dict[str, Callable[[], None]]:
    samples = options.samples
    files = engine / "models" / "checkpoints"
    return {
        "first": lambda: interleaved.first(ledger, sides, work),
        "seed": lambda: interleaved.seeds(ledger, sides, work, samples),
        "text": lambda: interleaved.texts(ledger, sides, work, samples),
        **{str(steps): functools.partial(interleaved.seeds, ledger, sides, work, samples, steps) for steps in (1, 2, 4)},
        "cached": lambda: interleaved.cached(ledger, sides, work, options.round_trips),
        "limits": lambda: limits.measure(ledger, work, engine, _checkpoint(work, files, folder)),
        "cold": lambda: cold.measure(ledger, work, engine, _checkpoint(work, files, folder).parent, folder / "cold"),
        "command": lambda: command.measure(ledger, work, samples),
    }


def _checkpoint(work: Work, files: Path, folder: Path) -> Path:
    """The work's checkpoint: in the engine's folder, else where the daemon has put the demo's."""
    mine = files / work.checkpoint_name
    return mine if mine.exists() else next((folder / "home").rglob(work.checkpoint_name))


def _work(text: str, options: argparse.Namespace) -> tuple[Work, list[str]]:
    name, size, *phases = text.split(":")
    return Work.checkpoint(name, int(size), options.steps), _words(PHASES)(phases[0]) if phases else options.phases


def _words(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        words = text.split(",")
        if wrong := [word for word in words if word not in known]:
            raise argparse.ArgumentTypeError(f"{wrong[0]} is none of {', '.join(known)}")
        return words

    return split


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--comfyui", type=Path, help="ComfyUI tree to use instead of the managed one")
    parser.add_argument("--work", action="append", default=[], metavar="CHECKPOINT:SIZE[:PHASES]", help="default: the demo")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--samples", type=int, default=12, help="runs of each side")
    parser.add_argument("--round-trips", type=int, default=100, help="runs of each side of a cached graph")
    parser.add_argument("--phases", type=_words(PHASES), default=list(PHASES), help=f"of {','.join(PHASES)}")
    parser.add_argument("--sides", type=_words(SIDES), default=list(SIDES), help=f"of {','.join(SIDES)}")
    parser.add_argument("--stock-argument", action="append", default=[], help="a further argument for stock ComfyUI's main.py")
    parser.add_argument("--folder", type=Path, help="keep logs, pictures and what was compiled here, and use it again")
    parser.add_argument("--json", type=Path, help="append every figure to this file as soon as it is measured")
    parser.add_argument("--table", type=Path, nargs="+", help="print the table of such files")
    return parser.parse_args()


if __name__ == "__main__":
    main()
