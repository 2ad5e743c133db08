"""How long a piece of work takes, and what is said of many such times."""

import statistics
import time
from collections.abc import Callable


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def figures(times: list[float]) -> str:
    """Median and 95th percentile of milliseconds."""
    ordered = sorted(times)
    return f"{statistics.median(ordered):.1f} ms (p95 {ordered[round(0.95 * (len(ordered) - 1))]:.1f})"
