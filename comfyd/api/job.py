"""A job that was handed in: its events, its result, its cancel."""

from collections.abc import Iterator
from typing import Any

from comfyd.errors import JobCancelled, from_info
from comfyd.protocol import Cancel, Cancelled, CancelReply, Done, Event, Failed, JobEnd, ToClient, Watch

from .pool import Pool
from .result import Result, result


class Job:
    """A job in the daemon; goes on whatever becomes of this program. May be used from any thread."""

    def __init__(self, pool: Pool, id: int, overrides: dict[str, Any] | None = None) -> None:
        self.id = id
        self.overrides = overrides or {}
        self._pool = pool
        self._end: JobEnd | None = None

    def events(self) -> Iterator[Event]:
        """What happens to it from now on, its final event last; raises NoSuchJob or Unavailable."""
        with self._pool.lent() as client:
            for message in client.stream(Watch(job=self.id)):
                if isinstance(message, Done | Failed | Cancelled):
                    self._end = message
                if isinstance(message, Event):
                    yield message

    def result(self) -> Result:
        """Wait for its end; raises JobFailed with the job's own error, or JobCancelled."""
        if self._end is None:
            for _ in self.events():
                pass
        assert self._end is not None
        return outcome(self._end, self.overrides)

    def cancel(self) -> str:
        """End it, and say how it ended: a job may have been ``done`` just before."""
        with self._pool.lent() as client:
            reply = client.call(Cancel(job=self.id))
        assert isinstance(reply, CancelReply)
        return reply.state

    def __repr__(self) -> str:
        return f"Job({self.id})"


def outcome(end: ToClient, overrides: dict[str, Any]) -> Result:
    """The result, or the exception that stands for a job without one."""
    if isinstance(end, Done):
        return result(end, overrides)
    if isinstance(end, Failed):
        raise from_info(end.error)
    assert isinstance(end, Cancelled)
    raise JobCancelled(f"Job {end.job} was cancelled.")
