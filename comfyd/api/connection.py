"""The way into the daemon for a Python program."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from comfyd import config
from comfyd.errors import ComfydError
from comfyd.protocol import (
    Accepted,
    Cancel,
    Event,
    HistoryRequest,
    JobRecord,
    JobReply,
    JobRequest,
    JobsReply,
    QueueRequest,
    Request,
    StatusReply,
    StatusRequest,
    Submit,
    ToClient,
    WaitReady,
    resubmitted,
)
from comfyd.uploads import put
from comfyd.workflow import Document, load

from .job import Job, outcome
from .pool import Pool
from .result import Result

Workflow = str | PathLike[str] | Mapping[str, Any]
"""A name, a path, JSON text, or a parsed workflow of either form."""


def connect(*, start: bool = True, home: str | PathLike[str] | None = None, **settings: Any) -> "Connection":
    """A connection to the daemon of this user, which is started where none runs unless ``start`` is false.

    ``home`` is what COMFYD_HOME would be; ``settings`` are those of the configuration, for a daemon that is started.
    Raises ConfigError; DaemonUnavailable comes with the first request.
    """
    env = dict(os.environ) | ({"COMFYD_HOME": fspath(home)} if home is not None else {})
    paths = config.paths(env)
    return Connection(config.load(paths, env, settings), paths, start=start)


class Connection:
    """Runs workflows in the daemon. Safe in threads, of which each gets a socket of its own, and after a fork."""

    def __init__(self, settings: config.Config, paths: config.Paths, *, start: bool = True) -> None:
        self._pool = Pool(settings, paths, start=start)
        self._store = paths.workflows
        self._cache = paths.cache
        self._ahead = 2 * max(settings.max_running, 1) + 2
        """Jobs of a sweep that are with the daemon at once, which does not fill the queue."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the daemon; it and its jobs go on."""
        self._pool.close()

    # ------------------------------------------------------------ jobs

    def run(
        self,
        workflow: Workflow,
        overrides: Mapping[str, Any] | None = None,
        /,
        *,
        on_event: Callable[[Event], object] | None = None,
        mode: str = "",
        **parameters: Any,
    ) -> Result:
        """Run a workflow to its end: ``run("demo", prompt="a red fox", seed=42)``.

        ``overrides`` takes names that are no Python names: ``{"5.seed": 42}``. A ``Path`` as a value is a file of the user's,
        which is copied into the engine's input folder: ``image=Path("cat.png")``. ``on_event`` is called with each event.
        Raises Refused before a job exists, JobFailed or JobCancelled after, Unavailable without a daemon or engine.
        An interrupt (Ctrl-C) cancels the job.
        """
        request = self._request(self._document(workflow), {**(overrides or {}), **parameters}, mode, follow=True)
        with self._pool.lent() as client:
            job, applied = None, {}
            try:
                for message in client.stream(request):
                    if isinstance(message, Accepted):
                        job, applied = message.job, message.overrides
                    elif on_event is not None and isinstance(message, Event):
                        on_event(message)
            except BaseException as error:
                if job is not None and not isinstance(error, Exception):
                    client.call(Cancel(job=job))
                raise
        return outcome(message, applied)

    def submit(
        self, workflow: Workflow, overrides: Mapping[str, Any] | None = None, /, *, mode: str = "", **parameters: Any
    ) -> Job:
        """Hand in a workflow and come back once it is in the journal; arguments and errors as those of ``run``."""
        values = {**(overrides or {}), **parameters}
        return self._handed_in(self._request(self._document(workflow), values, mode, follow=False))

    def sweep(
        self,
        workflow: Workflow,
        overrides: Mapping[str, Any] | None = None,
        /,
        *,
        zip: bool = False,
        mode: str = "",
        **parameters: Any,
    ) -> Iterator[Result]:
        """Run every combination: ``sweep("demo", seed=range(1, 9), cfg=[4, 6, 8])`` yields 24 results, one by one.

        Lists, tuples and ranges are several values, as is text such as ``"1..8"`` for a number; with ``zip`` they are paired.
        What is upstream changes least; a result's ``overrides`` say whose it is. Errors are those of ``run``, and as with an
        end of the iteration what is left is cancelled.
        """
        from comfyd.workflow.sweep import place

        from .sweep import every

        self.call(WaitReady())  # whose catalogue says what the values are
        values = {name: self._each_sent(value) for name, value in {**(overrides or {}), **parameters}.items()}
        document = self._document(workflow)
        left = deque(enumerate(every(document, values, self._cache, paired=zip), 1))
        total = len(left)
        jobs: deque[Job] = deque()
        try:
            while left or jobs:
                while left and len(jobs) < self._ahead:
                    number, run = left.popleft()
                    request = self._request(document, run, mode, follow=False, sweep=place(number, total, document.name))
                    jobs.append(self._handed_in(request))
                yield jobs[0].result()
                jobs.popleft()
        finally:
            for job in jobs:
                with suppress(ComfydError):
                    job.cancel()

    def job(self, id: int) -> Job:
        """A job by its number, whoever handed it in."""
        return Job(self._pool, id)

    def queue(self) -> list[JobRecord]:
        """Running jobs, then waiting ones in their order."""
        reply = self.call(QueueRequest())
        assert isinstance(reply, JobsReply)
        return reply.jobs

    def history(self, limit: int = 20, *, workflow: str = "", states: Sequence[str] = (), since: float = 0.0) -> list[JobRecord]:
        """Ended jobs, the newest first: of one workflow, in these states (done, failed, cancelled), since a moment.

        ``since`` is in seconds since the epoch, as ``time.time()`` gives it.
        """
        reply = self.call(HistoryRequest(limit=limit, workflow=workflow, states=list(states), since=since))
        assert isinstance(reply, JobsReply)
        return reply.jobs

    def again(self, id: int, overrides: Mapping[str, Any] | None = None, /, **parameters: Any) -> Job:
        """An earlier job once more, with the same values or with some of them changed; raises NoSuchJob."""
        before = self.call(JobRequest(job=id))
        assert isinstance(before, JobReply)
        given = {name: self._sent(value) for name, value in {**(overrides or {}), **parameters}.items()}
        return self._handed_in(resubmitted(before, overrides=list(given.items()), follow=False))

    # ------------------------------------------------------------ the daemon

    def status(self) -> StatusReply:
        """How daemon and engine are."""
        reply = self.call(StatusRequest())
        assert isinstance(reply, StatusReply)
        return reply

    def call(self, request: Request) -> ToClient:
        """Any request of ``comfyd.protocol``, and its final message."""
        with self._pool.lent() as client:
            return client.call(request)

    def _handed_in(self, request: Submit) -> Job:
        accepted = self.call(request)
        assert isinstance(accepted, Accepted)
        return Job(self._pool, accepted.job, accepted.overrides)

    def _each_sent(self, value: Any) -> Any:
        return [self._sent(one) for one in value] if isinstance(value, list | tuple) else self._sent(value)

    def _document(self, workflow: Workflow) -> Document:
        return load(json.dumps(workflow) if isinstance(workflow, Mapping) else fspath(workflow), store=self._store)

    def _request(self, document: Document, overrides: Mapping[str, Any], mode: str, *, follow: bool, sweep: str = "") -> Submit:
        sent = [(name, self._sent(value)) for name, value in overrides.items()]
        return document.request(Submit, overrides=sent, mode=mode, follow=follow, sweep=sweep)

    def _sent(self, value: Any) -> Any:
        """The value as it travels: a path stands for the file's copy in the engine's input folder."""
        if not isinstance(value, PathLike):
            return value
        status = self.call(WaitReady())
        assert isinstance(status, StatusReply)
        return put(Path(value), Path(status.engine.input_dir))[0]
