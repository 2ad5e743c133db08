"""All sides in turn with the same values, to the end of their files; what they drew is compared afterwards."""

import itertools
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from comfyd.protocol import Done, Graph

from .ledger import Ledger
from .sides import Fast, Side
from .work import Work, chain

_seeds = itertools.count(1000)
_BLOCK = 25
"""Cached runs of one side before it is the next one's turn, so that each is measured with its own code in the caches."""


def timed(side: Side, graph: Graph) -> tuple[float, Any]:
    """Milliseconds of one run, as the client sees them, and what it returned."""
    begun = time.perf_counter()
    ran = side.run(graph)
    return (time.perf_counter() - begun) * 1000, ran


def first(ledger: Ledger, sides: Sequence[Side], work: Work) -> None:
    """The first picture of each side, with all that it loads, compiles and captures, and further ones until it is warm."""
    for side in sides:
        runs = 4 if side.name in ("exact", "fast") else 2
        times = [timed(side, work.seeded(number))[0] for number in range(1, runs + 1)]
        ledger.add("times", work=work.name, what="first picture", side=side.name, ms=times[:1])
        ledger.add("warming", work=work.name, side=side.name, ms=times[1:])


_WARM = 4  # runs of each side before the measured ones


def seeds(ledger: Ledger, sides: Sequence[Side], work: Work, samples: int, steps: int | None = None) -> None:
    """Another seed each time; with ``steps``, so many steps."""
    changes = {} if steps is None else {"steps": steps}
    what = "seed changed" if steps is None else f"{steps} step{'s' if steps > 1 else ''}"
    # Another number of steps has sigmas of its own to make, and graphs are captured, and compared, in the first runs.
    for _, side in itertools.product(range(_WARM), sides):
        side.run(work.seeded(next(_seeds), **changes))
    _measure(ledger, sides, work, what, [work.seeded(next(_seeds), **changes) for _ in range(samples)])


def texts(ledger: Ledger, sides: Sequence[Side], work: Work, samples: int) -> None:
    """Another text each time, and with it the seed."""
    numbers = [next(_seeds) for _ in range(samples)]
    _measure(ledger, sides, work, "text changed", [work.seeded(n, f"a red fox, number {n}") for n in numbers])


def _measure(ledger: Ledger, sides: Sequence[Side], work: Work, what: str, graphs: list[Graph]) -> None:
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    ran: dict[str, list[Any]] = {side.name: [] for side in sides}
    begun: dict[str, list[float]] = {"kernel": [], "model call": []}
    for graph in graphs:
        for side in sides:
            sent = time.time()
            elapsed, result = timed(side, graph)
            times[side.name].append(elapsed)
            ran[side.name].append(result)
            if side.name == "exact" and isinstance(result, Done) and result.first_call and result.first_kernel:
                begun["kernel"].append((result.first_kernel - sent) * 1000)
                begun["model call"].append((result.first_call - sent) * 1000)
    for side in sides:
        made = {"made": side.made} if isinstance(side, Fast) else {}
        ledger.add("times", work=work.name, what=what, side=side.name, ms=times[side.name], **made)
    for first, since in begun.items():
        if since:
            ledger.add("times", work=work.name, what=f"{what}: submit to first {first}", side="exact", ms=since)
    _compare(ledger, work, what, {side.name: [side.files(result) for result in ran[side.name]] for side in sides})


def _compare(ledger: Ledger, work: Work, what: str, files: dict[str, list[list[Path]]]) -> None:
    """Bits of exact against stock, decibels of fast against exact."""
    pictures = {name: [_pixels(found[0]) for found in each] for name, each in files.items()}
    exact = pictures.get("exact", [])
    if exact and "default" in pictures:
        equal = sum(numpy.array_equal(a, b) for a, b in zip(exact, pictures["default"], strict=True))
        ledger.add("equal", work=work.name, what=what, equal=equal, of=len(exact))
    if exact and "fast" in pictures:
        worst = min(decibels(a, b) for a, b in zip(exact, pictures["fast"], strict=True))
        ledger.add("psnr", work=work.name, what=what, worst=min(worst, 999.0), of=len(exact))


def _pixels(file: Path) -> Any:
    return numpy.asarray(Image.open(file).convert("RGB")).astype(float)


def decibels(one: Any, other: Any) -> float:
    """PSNR of two pictures with values up to 255."""
    error = float(((one - other) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def cached(ledger: Ledger, sides: Sequence[Side], work: Work, count: int) -> None:
    """Runs of which nothing is left to do: the work's own graph, and one of 100 nodes."""
    plain = [side for side in sides if side.name != "fast"]
    for what, graph in ((f"{len(work.graph)} nodes, all cached", work.seeded(1)), ("100 nodes, all cached", chain(100, 7))):
        times: dict[str, list[float]] = {side.name: [] for side in plain}
        for side in plain:
            side.run(graph)
        for _ in range(-(-count // _BLOCK)):
            for side in plain:
                times[side.name] += [timed(side, graph)[0] for _ in range(_BLOCK)]
        for side in plain:
            ledger.add("times", work=work.name, what=what, side=side.name, ms=times[side.name])
