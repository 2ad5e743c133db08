"""Leases on what samplers change in place, so that a parked job finds it as it left it; pure."""

from collections.abc import Iterator
from contextlib import contextmanager


class Leases:
    """Which patcher each model's weights are set up for, while samplers of parked jobs depend on it.

    Jobs that sample with the same patcher (the same node result) share a lease; another patcher of the same model (other LoRAs,
    other sampling settings) waits until the lease is free, because loading it would change the weights in place. What a sampler
    changes for its own run (a ControlNet's state, hooks) is leased to one job.
    """

    def __init__(self) -> None:
        self._held: dict[int, tuple[object, int]] = {}

    def free(self, wanted: dict[int, object]) -> bool:
        return all(thing not in self._held or self._held[thing][0] == holder for thing, holder in wanted.items())

    @contextmanager
    def hold(self, wanted: dict[int, object]) -> Iterator[None]:
        for thing, holder in wanted.items():
            self._held[thing] = (holder, self._held.get(thing, (holder, 0))[1] + 1)
        try:
            yield
        finally:
            for thing in wanted:
                holder, count = self._held.pop(thing)
                if count > 1:
                    self._held[thing] = (holder, count - 1)
