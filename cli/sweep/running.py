"""Keeps a few of a sweep's jobs with the daemon, writes down each that ends, and takes up those of an earlier command."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from comfyd.client import Client, Stream
from comfyd.errors import ComfydError, JobCancelled, NoSuchJob, NotDelivered, QueueFull, Refused
from comfyd.protocol import (
    Accepted,
    Cancel,
    Cancelled,
    Done,
    ErrorInfo,
    Failed,
    JobReply,
    JobRequest,
    Submit,
    ToClient,
    Watch,
)

from ..connection import ANSWER_LIMIT
from ..terminal import Terminal
from .files import copied
from .manifest import Made, Manifest
from .points import Point
from .record import SweepJob
from .shown import Shown

KEY = "comfyd_sweep"
"""Where in a job's extra data the key of its combination is, which nodes do not look at."""


class Flight(msgspec.Struct):
    """A combination that is with the daemon."""

    point: Point
    stream: Stream
    job: int = 0
    watched: bool = False
    """Whether an earlier command had handed it in."""


class Running:
    """One sweep's run; ``submit`` gives the request for a point."""

    def __init__(
        self,
        client: Client,
        points: Sequence[Point],
        submit: Callable[[Point], Submit],
        manifest: Manifest,
        shown: Shown,
        terminal: Terminal,
        limit: int,
    ) -> None:
        self._client, self._submit, self._manifest, self._shown, self._terminal = client, submit, manifest, shown, terminal
        self._points = points
        self._limit = limit
        self._todo: deque[Point] = deque()
        self._flying: dict[bytes, Flight] = {}
        self._accepted = False
        self._cancelling: list[Stream] | None = None
        self.records: dict[int, SweepJob] = {}
        """By the points' numbers."""

    def run(self) -> None:
        """To the end; Ctrl-C cancels what is not done and raises, a second one leaves at once."""
        self._take_up()
        try:
            self._go_on()
        except KeyboardInterrupt:
            self._cancel()
            raise

    def hand_in(self) -> None:
        """Hand in all that is missing, and follow none of it."""
        self._take_up()
        for point in self._todo:
            job = self._known(point)
            if job is None:
                accepted = self._client.call(msgspec.structs.replace(self._submit(point), follow=False))
                assert isinstance(accepted, Accepted)
                job = accepted.job
                self._manifest.handed_in(point.key, job)
            self._record(point, "queued", job=job)

    def _take_up(self) -> None:
        """What an earlier command has done stays done."""
        for point in self._points:
            made = self._manifest.done(point.key)
            if made is None:
                self._todo.append(point)
                continue
            files = [str(self._manifest.directory / name) for name in made.files]
            self._record(point, "done", job=made.job, files=files, seconds=made.seconds, resumed=True)

    # ------------------------------------------------------------ the flow

    def _go_on(self) -> None:
        while self._todo or self._flying:
            self._fill()
            self._read()

    def _fill(self) -> None:
        """The first goes alone: what it is refused for, all would be."""
        while self._todo and len(self._flying) < (self._limit if self._accepted else 1):
            point = self._todo.popleft()
            job = self._known(point)
            request = Watch(job=job) if job is not None else self._submit(point)
            self._accepted |= job is not None
            stream = self._client.stream(request)
            self._flying[stream.number] = Flight(point, stream, job or 0, watched=job is not None)

    def _known(self, point: Point) -> int | None:
        """The job of an earlier command for the same combination, unless it came to nothing."""
        job = self._manifest.job(point.key)
        if job is None:
            return None
        try:
            reply = self._client.call(JobRequest(job=job), ANSWER_LIMIT)
        except NoSuchJob:
            return None
        assert isinstance(reply, JobReply)
        same = reply.extra_data.get(KEY) == point.key
        return job if same and reply.record.state in ("queued", "running", "done") else None

    def _read(self) -> None:
        flight = self._flying[self._client.first([flight.stream for flight in self._flying.values()]).number]
        try:
            message = next(flight.stream)
        except Refused as refusal:
            del self._flying[flight.stream.number]
            self._refused(flight.point, refusal)
        else:
            self._take(flight, message)

    def _refused(self, point: Point, refusal: Refused) -> None:
        """A full queue has room again when one of ours has ended."""
        if isinstance(refusal, QueueFull) and self._flying:
            self._todo.appendleft(point)
            self._limit = len(self._flying)
        elif self._accepted and not isinstance(refusal, QueueFull):
            self._terminal_error(point, refusal.info())
            self._record(point, "refused", error=refusal.info())
        else:
            raise refusal

    def _take(self, flight: Flight, message: ToClient) -> None:
        if isinstance(message, Accepted):
            self._accepted = True
            flight.job = message.job
            self._manifest.handed_in(flight.point.key, message.job)
            if self._cancelling is not None:
                self._cancelling.append(self._client.stream(Cancel(job=message.job)))
        if isinstance(message, Done | Failed | Cancelled):
            del self._flying[flight.stream.number]
            self._end(flight, message)
        else:
            self._shown.message(flight.point, message)

    # ------------------------------------------------------------ ends

    def _end(self, flight: Flight, end: Done | Failed | Cancelled) -> None:
        point = flight.point
        match end:
            case Done() if flight.watched and not all(Path(file).is_file() for file in end.files):
                self._manifest.content.jobs.pop(point.key, None)
                self._todo.appendleft(point)
            case Done():
                self._made(point, end)
            case Failed(job=job, error=error, executed=executed):
                self._terminal_error(point, error)
                self._record(point, "failed", job=job, executed=executed, error=error)
            case Cancelled(job=job):
                self._record(point, "cancelled", job=job, error=JobCancelled(f"Job {job} was cancelled.").info())

    def _made(self, point: Point, done: Done) -> None:
        names = [self._delivered(point, Path(file), number) for number, file in enumerate(done.files, 1)]
        self._manifest.finished(point.key, Made(names, done.job, done.seconds))
        files = [str(self._manifest.directory / name) for name in names]
        self._record(point, "done", job=done.job, files=files, seconds=done.seconds, executed=done.executed)

    def _delivered(self, point: Point, file: Path, number: int) -> str:
        target = self._manifest.directory / f"{point.stem}{f'-{number}' if number > 1 else ''}{file.suffix}"
        try:
            return copied(file, target).name
        except OSError as error:
            raise NotDelivered(
                f"{target} cannot be written ({error.strerror}); mend that, and the same command goes on where it ended."
            ) from error

    def _terminal_error(self, point: Point, error: ErrorInfo) -> None:
        self._shown.failed(point, error)

    def _record(self, point: Point, state: str, **more: object) -> None:
        record = SweepJob(number=point.number, of=len(self._points), values=point.values, state=state, **more)  # type: ignore[arg-type]
        self.records[point.number] = record
        self._shown.ended(point, record)

    # ------------------------------------------------------------ Ctrl-C

    def _cancel(self) -> None:
        jobs = [flight.job for flight in self._flying.values() if flight.job]
        self._todo.clear()
        self._cancelling = [self._client.stream(Cancel(job=job)) for job in jobs]
        try:
            self._shown.close()
            self._terminal.note("cancelling what is left; Ctrl-C again leaves at once")
            while self._flying:
                self._read()
        except KeyboardInterrupt:
            self._terminal.note("left; what runs goes on being cancelled")
            raise
        except ComfydError as error:
            self._terminal.error(error.message)
