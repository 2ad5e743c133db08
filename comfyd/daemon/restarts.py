"""When a worker that died is started again; pure."""

WINDOW = 300.0
_FIRST_DELAY = 0.25


class Restarts:
    """Counts deaths within five minutes; delays grow fourfold from nothing, a quarter of a second, a second, ..."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._deaths: list[float] = []

    def died(self, now: float) -> float | None:
        """Seconds to wait before the next start, or None when it has died too often."""
        self._deaths = [at for at in self._deaths if now - at < WINDOW] + [now]
        count = len(self._deaths)
        if count > self._limit:
            return None
        return 0.0 if count == 1 else _FIRST_DELAY * 4.0 ** (count - 2)

    def forgive(self) -> None:
        """Somebody asked for another try."""
        self._deaths.clear()
