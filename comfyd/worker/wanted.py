"""Whether anybody wants to see what a job makes."""

import time
from collections.abc import Callable

PERIOD = 0.25
"""Seconds between two previews of a job, at least."""


class Wanted:
    """Set in the thread that receives orders, asked in the job's."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.wanted = False
        self._now, self._due = now, 0.0

    def due(self) -> bool:
        """Whether a preview is to be made now; the next one then has to wait."""
        if not self.wanted or self._now() < self._due:
            return False
        self._due = self._now() + PERIOD
        return True
