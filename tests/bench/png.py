"""How long a picture's PNG takes and how large it is, beside Pillow's at level 4, which is what ComfyUI writes, and at level 1.

``python -m tests.bench.png``: all of them in turn in one process, best and median; ``taskset`` says on how many cores,
``--strips`` how many of a picture's strips are compressed at once.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy

from comfyd.worker.images import deflate, formats, png
from tests.unit.worker.images.pictures import KINDS

_HEAD = "| pixels | picture | comfyd ms | Pillow 4 ms | Pillow 1 ms | as fast | of Pillow 4's bytes | of Pillow 1's |"


def main() -> None:
    """Prints the table."""
    options = _options()
    png._STRIPS = options.strips
    print(f"{len(os.sched_getaffinity(0))} cores, {options.strips} strips, {deflate.fastest.__name__}, {deflate.best.__name__}\n")
    print(_HEAD, "|" + " --- |" * (_HEAD.count("|") - 1), sep="\n")
    for size in options.sizes:
        for name in options.kinds:
            print(_row(size, name, options.samples), flush=True)


def _row(size: int, name: str, samples: int) -> str:
    picture = KINDS[name](size)
    times, sizes = _measured([formats.encoder(setting, 4) for setting in ("fast", "comfyui", "1")], picture, samples)
    cells = [f"{min(each):.2f} / {statistics.median(each):.2f}" for each in times]
    faster = f"{min(times[1]) / min(times[0]):.1f} / {statistics.median(times[1]) / statistics.median(times[0]):.1f}"
    return f"| {size} | {name} | {' | '.join(cells)} | {faster} | {sizes[0] / sizes[1]:.3f} | {sizes[0] / sizes[2]:.3f} |"


def _measured(
    encoders: list[Callable[..., list[bytes]]], picture: numpy.ndarray, samples: int
) -> tuple[list[list[float]], list[int]]:
    """Milliseconds of each, and bytes."""
    times: list[list[float]] = [[] for _ in encoders]
    for _ in range(samples):
        for encode, into in zip(encoders, times, strict=True):
            begun = time.perf_counter()
            encode(picture, None)
            into.append((time.perf_counter() - begun) * 1000)
    return times, [sum(map(len, encode(picture, None))) for encode in encoders]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.png", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 512, 1024])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--samples", type=int, default=15)
    parser.add_argument("--strips", type=int, default=png._STRIPS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
