"""When a worker that died is started again; pure."""

WINDOW = 300.0
_FIRST_DELAY = 0.25
_LONGEST_DELAY = 4.0


class Restarts:
    """Counts deaths within five minutes; delays grow fourfold from nothing and a quarter of a second to four."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._deaths: list[float] = []

    def died(self, now: float) -> float | None:
        """Seconds to wait before the next start, or None when it has died too often."""
        self._deaths = [at for at in self._deaths if now - at < WINDOW] + [now]
        count = len(self._deaths)
        if count > self._limit:
            return None
        return 0.0 if count == 1 else min(_FIRST_DELAY * 4.0 ** (count - 2), _LONGEST_DELAY)

    def forgive(self) -> None:
        """Somebody asked for another try."""
        self._deaths.clear()
