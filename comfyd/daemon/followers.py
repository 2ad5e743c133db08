"""Who is told about which job: follows it to its end, or waits for a cancel to take effect."""

import msgspec

from comfyd.protocol import Event, NodeDone, NodeStarted, Progress, Started, encode

from .clients import Caller

_SNAPSHOT = (Started, NodeStarted, Progress)
_UNREAD = 2
"""Previews that may be on their way to one who follows."""


class Followers:
    """Callers by job, and what one who comes later has missed."""

    def __init__(self) -> None:
        self._following: dict[int, list[Caller]] = {}
        self._cancelling: dict[int, list[Caller]] = {}
        self._seen: dict[int, dict[type[Event], bytes]] = {}
        self._started: dict[int, tuple[Started, list[str]]] = {}
        """How a job began, and the nodes that were done since then."""
        self._previews: dict[Caller, int] = {}
        """Those who want previews, and how many they may be sent."""

    def follow(self, job: int, caller: Caller, *, preview: bool = False) -> list[bytes]:
        """From now on the caller is told of the job, if it likes with previews; returns its events so far in short."""
        self._following.setdefault(job, []).append(caller)
        if preview:
            self._previews[caller] = _UNREAD
        seen = self._seen.get(job, {})
        if done := self._started[job][1] if job in self._started else []:
            started = self._started[job][0]
            seen[Started] = encode(msgspec.structs.replace(started, cached=list(dict.fromkeys([*started.cached, *done]))))
        return [seen[kind] for kind in _SNAPSHOT if kind in seen]

    def await_end(self, job: int, caller: Caller) -> None:
        """The caller is told how the job ended, and nothing else."""
        self._cancelling.setdefault(job, []).append(caller)

    def of(self, job: int) -> list[Caller]:
        """Who follows the job."""
        return list(self._following.get(job, ()))

    def want_previews(self, job: int) -> bool:
        """Whether any of those who follow the job wants to see it."""
        return any(caller in self._previews for caller in self._following.get(job, ()))

    def to_preview(self, job: int) -> list[Caller]:
        """Who is sent a preview of the job: who has looked at the earlier ones."""
        ready = [caller for caller in self._following.get(job, ()) if self._previews.get(caller)]
        for caller in ready:
            self._previews[caller] -= 1
        return ready

    def took_preview(self, caller: Caller) -> None:
        """The caller has looked at one."""
        if caller in self._previews:
            self._previews[caller] = min(self._previews[caller] + 1, _UNREAD)

    def note(self, event: Event, payload: bytes) -> None:
        """Remember an event for those who come later."""
        if isinstance(event, NodeDone) and event.job in self._started:
            self._started[event.job][1].append(event.node)
        if isinstance(event, Started):
            self._started[event.job] = event, []
        if not isinstance(event, _SNAPSHOT):
            return
        seen = self._seen.setdefault(event.job, {})
        if isinstance(event, NodeStarted):
            seen.pop(Progress, None)
        seen[type(event)] = payload

    def forget_events(self, job: int) -> None:
        """The job begins anew."""
        self._seen.pop(job, None)
        self._started.pop(job, None)

    def release(self, job: int) -> list[Caller]:
        """Nobody follows the job any longer; returns who did."""
        return self._left(job)

    def end(self, job: int) -> tuple[list[Caller], list[Caller]]:
        """Forget an ended job; returns who followed it and who waited for its cancel."""
        self.forget_events(job)
        return self._left(job), self._cancelling.pop(job, [])

    def _left(self, job: int) -> list[Caller]:
        callers = self._following.pop(job, [])
        for caller in callers:
            self._previews.pop(caller, None)
        return callers

    def drop(self, connection: bytes) -> None:
        """The client behind a connection is gone."""
        self._previews = {caller: left for caller, left in self._previews.items() if caller.connection != connection}
        for callers in (self._following, self._cancelling):
            for job, present in list(callers.items()):
                callers[job] = [caller for caller in present if caller.connection != connection]
                if not callers[job]:
                    del callers[job]
