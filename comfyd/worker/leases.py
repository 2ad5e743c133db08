"""Leases on what samplers change in place, so that a parked job finds it as it left it; pure."""

from collections.abc import Iterator
from contextlib import contextmanager


class Leases:
    """Which patcher each model's weights are set up for, while samplers of parked jobs depend on it.

    Jobs that sample with the same patcher (the same node result) share a lease; another patcher of the same model (other LoRAs,
    other sampling settings) waits until the lease is free, because loading it would change the weights in place. What a sampler
    changes for its own run (a ControlNet's state, hooks, the guider) is leased to one job. A job never waits for itself: a
    sampler may run within a sampler.
    """

    def __init__(self) -> None:
        self._held: dict[int, tuple[object, list[int]]] = {}
        """Thing -> what it is set up for, and the jobs that hold it."""

    def free(self, wanted: dict[int, object], job: int) -> bool:
        """Whether the job could hold all of these now."""
        return all(self._fits(thing, holder, job) for thing, holder in wanted.items())

    def holds(self, thing: int, job: int) -> bool:
        return thing in self._held and job in self._held[thing][1]

    @contextmanager
    def hold(self, wanted: dict[int, object], job: int) -> Iterator[None]:
        for thing, holder in wanted.items():
            self._held.setdefault(thing, (holder, []))[1].append(job)
        try:
            yield
        finally:
            for thing in wanted:
                self._held[thing][1].remove(job)
                if not self._held[thing][1]:
                    del self._held[thing]

    def _fits(self, thing: int, holder: object, job: int) -> bool:
        if thing not in self._held:
            return True
        held, jobs = self._held[thing]
        return held == holder or set(jobs) == {job}
