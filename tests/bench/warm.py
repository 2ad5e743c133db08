"""A warm run after a change, against stock ComfyUI's server: what a user waits for between two pictures."""

import time
from collections.abc import Callable

from PIL import Image

from comfyd.protocol import Graph

from .report import Row
from .sides import Comfyd, Stock, Work


def measure(ours: Comfyd, stock: Stock, work: Work, samples: int) -> list[Row]:
    """Seed changed, and seed changed with one step; both sides in turn with the same values, to the end of the files."""
    for side in (ours, stock):
        side.run(work.seeded(1))
        side.run(work.seeded(2))
    rows = []
    for what, options in (("seed changed", {}), ("seed changed, 1 step", {"steps": 1})):
        pair: tuple[list[float], list[float]] = ([], [])
        for number in range(samples):
            graph = work.seeded(1000 + number, **options)
            for side, times in zip((ours, stock), pair, strict=True):
                times.append(timed(side.run, graph))
        rows.append(Row(what, pair[0], pair[1], "stock server"))
    return rows


def start_up(ours: Comfyd, stock: Stock) -> list[Row]:
    """From the process' start until the first job or prompt is taken; once each, without custom nodes."""
    return [Row("ready after start", [ours.ready_seconds * 1000], [stock.ready_seconds * 1000], "stock server")]


def same_pixels(ours: Comfyd, stock: Stock, work: Work) -> bool:
    """Whether both sides draw the same picture, bit for bit, for a seed neither has seen."""
    graph = work.seeded(4711)
    pictures = [Image.open(file).convert("RGB") for file in (ours.run(graph).files[0], stock.files(graph)[0])]
    return pictures[0].tobytes() == pictures[1].tobytes()


def timed(run: Callable[[Graph], object], graph: Graph) -> float:
    """Milliseconds of one run, as the client sees them."""
    begun = time.perf_counter()
    run(graph)
    return (time.perf_counter() - begun) * 1000
