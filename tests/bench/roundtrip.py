"""The round trip of a run whose every node is cached: what comfyd itself costs."""

from .report import Row
from .sides import Comfyd, Stock, Work
from .warm import timed

_BLOCK = 25  # runs of one side before it is the other's turn, so that each is measured with its own code in the caches


def measure(ours: Comfyd, stock: Stock, work: Work, count: int) -> list[Row]:
    """Submit to final event, client side, over comfyd's socket and over stock ComfyUI's HTTP and websocket, in turns."""
    graph = work.seeded(1)
    ours.run(graph)
    stock.run(graph)
    pair: tuple[list[float], list[float]] = ([], [])
    for _ in range(-(-count // _BLOCK)):
        for side, times in zip((ours, stock), pair, strict=True):
            times.extend(timed(side.run, graph) for _ in range(_BLOCK))
    return [Row("fully cached run, round trip", *pair, "stock server")]
