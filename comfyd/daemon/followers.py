"""Who is told about which job: follows it to its end, or waits for a cancel to take effect."""

from comfyd.protocol import Event, NodeStarted, Progress, Started

from .clients import Caller

_SNAPSHOT = (Started, NodeStarted, Progress)


class Followers:
    """Callers by job, and what one who comes later has missed."""

    def __init__(self) -> None:
        self._following: dict[int, list[Caller]] = {}
        self._cancelling: dict[int, list[Caller]] = {}
        self._seen: dict[int, dict[type[Event], bytes]] = {}

    def follow(self, job: int, caller: Caller) -> list[bytes]:
        """From now on the caller is told of the job; returns its events so far in short."""
        self._following.setdefault(job, []).append(caller)
        seen = self._seen.get(job, {})
        return [seen[kind] for kind in _SNAPSHOT if kind in seen]

    def await_end(self, job: int, caller: Caller) -> None:
        """The caller is told how the job ended, and nothing else."""
        self._cancelling.setdefault(job, []).append(caller)

    def of(self, job: int) -> list[Caller]:
        """Who follows the job."""
        return list(self._following.get(job, ()))

    def note(self, event: Event, payload: bytes) -> None:
        """Remember an event for those who come later."""
        if not isinstance(event, _SNAPSHOT):
            return
        seen = self._seen.setdefault(event.job, {})
        if isinstance(event, NodeStarted):
            seen.pop(Progress, None)
        seen[type(event)] = payload

    def forget_events(self, job: int) -> None:
        """The job begins anew."""
        self._seen.pop(job, None)

    def release(self, job: int) -> list[Caller]:
        """Nobody follows the job any longer; returns who did."""
        return self._following.pop(job, [])

    def end(self, job: int) -> tuple[list[Caller], list[Caller]]:
        """Forget an ended job; returns who followed it and who waited for its cancel."""
        self._seen.pop(job, None)
        return self._following.pop(job, []), self._cancelling.pop(job, [])

    def drop(self, connection: bytes) -> None:
        """The client behind a connection is gone."""
        for callers in (self._following, self._cancelling):
            for job, present in list(callers.items()):
                callers[job] = [caller for caller in present if caller.connection != connection]
                if not callers[job]:
                    del callers[job]
