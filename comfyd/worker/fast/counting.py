"""How much the compiler had to do, by torch's own counters."""

import time

_LOOKUPS = ("fxgraph_cache_hit", "fxgraph_cache_miss")


class Count:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._before = lookups()

    def since(self) -> str:
        """``12 graphs from disk, 0 anew, 3.1 s``."""
        found, anew = (now - before for now, before in zip(lookups(), self._before, strict=True))
        return f"{found} graphs from disk, {anew} anew, {time.perf_counter() - self._begun:.1f} s"


def lookups() -> tuple[int, int]:
    """Compiled graphs that were found on disk so far, and those that were not."""
    from torch._dynamo.utils import counters

    found, anew = (int(counters["inductor"][name]) for name in _LOOKUPS)
    return found, anew
