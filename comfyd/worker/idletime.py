"""What is done while there is no job: the rest of a start, then captures, which give way to whatever comes."""

import threading
import time
from collections.abc import Callable

import comfy.model_management

from .graphs import wiring as graphs
from .later import Later
from .threads import JobThreads

_QUIET = 2.0  # seconds after a job in which the next one is likely, and would wait for a piece: the longest takes half a second


class IdleTime:
    """Used by the engine's loop; ``changed`` guards its inbox, and ``wanted`` says whether there is work for it."""

    def __init__(self, later: Later, threads: JobThreads, changed: threading.Condition, wanted: Callable[[], bool]) -> None:
        self._later = later
        self._threads = threads
        self._changed = changed
        self._wanted = wanted
        self._capturing = False
        self._worked = float("-inf")

    def worked(self) -> None:
        """A job has ended: the rest of a start, which gives way to none, is no matter for pauses between jobs."""
        self._worked = time.monotonic()

    @property
    def left(self) -> bool:
        """Whether there is something to do."""
        return self._later.left or graphs.left()

    def piece(self) -> bool:
        """Does the next of it; whether what is resident may be another thing now."""
        if self._later.left and time.monotonic() - self._worked > _QUIET:
            self._later.piece()
            return False
        if not graphs.left():
            return False
        self._capture()
        return True

    def give_way(self) -> None:
        """An order has come; ``changed`` is held. A capture ends at its next layer, where the engine asks for interrupts."""
        if self._capturing:
            comfy.model_management.interrupt_current_processing(True)

    def _capture(self) -> None:
        with self._changed:
            if self._wanted():
                return
            self._capturing = True
        try:
            self._threads.do(graphs.capture)
        finally:
            with self._changed:
                self._capturing = False
                comfy.model_management.interrupt_current_processing(False)
