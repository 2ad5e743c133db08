"""The life of jobs as a pure state machine: what happened goes in with the time, effects come out; no I/O, no clock.

A job waits, runs and ends. Waiting jobs have places in one queue; up to ``max_running`` of them are with the worker.
Whatever a method decides it returns as effects (``comfyd.effects``), in the order in which they are to be performed.
"""

from collections.abc import Iterable, Iterator

import msgspec

from . import protocol
from .effects import Admit, Effect, End, Interrupt, Moved, ReplaceWorker, Requeue
from .errors import Interrupted, QueueFull
from .protocol import Cancelled, Done, ErrorInfo, Event, Failed, JobEnd

_PAUSE = 1.0  # seconds until a job that could not be given to the worker is tried again


class Death(msgspec.Struct, frozen=True):
    """How a worker ended: whose fault that was, what to tell that job, and whether it counts as an attempt of the others.

    Nobody's proven fault counts against the ``suspect`` alone, the job that was executing, if there is one.
    """

    culprits: frozenset[int] = frozenset()
    error: ErrorInfo | None = None
    counts: bool = True
    suspect: int | None = None


class Waiting(msgspec.Struct):
    """In the queue; ``told`` is the place that was last made known."""

    told: int = 0


class Running(msgspec.Struct):
    """With the worker; ``cancelled`` is when its end was asked for."""

    cancelled: float | None = None
    nodes_total: int = 0
    nodes_run: int = 0
    files: list[str] = []


class Job(msgspec.Struct):
    """A job that has not ended."""

    id: int
    attempts: int = 0
    state: Waiting | Running = msgspec.field(default_factory=Waiting)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What of the configuration rules the queue; see ``comfyd.config.Config``."""

    max_running: int = 4
    max_queue: int = 512
    attempts: int = 2
    cancel_grace: float = 5.0
    progress_deadline: float = 1800.0


class Jobs:
    """All jobs that have not ended. ``admitting`` is whether a worker is there to take them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.admitting = False
        self._jobs: dict[int, Job] = {}
        self._queue: list[int] = []
        self._running: dict[int, Running] = {}
        self._replacing = False
        self._resume: float | None = None
        """Until when nothing is admitted, because a job could not be given to the worker."""
        self._put_back = 0
        """How many of the queue's first jobs were put back there since then."""
        self._heard = 0.0
        """When a job last began or gave a sign of life."""

    # ------------------------------------------------------------ what is there

    @property
    def queue(self) -> list[int]:
        """Ids of the waiting jobs, next first."""
        return list(self._queue)

    @property
    def running(self) -> list[int]:
        """Ids of the jobs with the worker, in the order of their admission."""
        return list(self._running)

    def get(self, job: int) -> Job | None:
        """The job, unless it has ended."""
        return self._jobs.get(job)

    def position(self, job: int) -> int | None:
        """Place of a waiting job, 1 = next."""
        return self._queue.index(job) + 1 if job in self._queue else None

    def next_position(self) -> int:
        """The place a job submitted now would get; 0: it would go to the worker at once."""
        return 0 if self._can_admit() and not self._queue else len(self._queue) + 1

    def check_room(self, pending: int = 0) -> None:
        """Raise QueueFull where one more job, besides ``pending`` ones not yet submitted, would be too many."""
        if self.next_position() + pending > self.limits.max_queue:
            raise QueueFull(
                f"The queue is full ({self.limits.max_queue} jobs wait); wait for one to end, cancel one, or raise max_queue."
            )

    # ------------------------------------------------------------ what happens

    def restore(self, jobs: Iterable[tuple[int, bool, int]]) -> list[Effect]:
        """Take over ``(id, was running, attempts)`` of an earlier daemon, in their old order."""
        effects: list[Effect] = []
        for id, ran, attempts in jobs:
            job = self._jobs[id] = Job(id, attempts)
            if ran:
                effects += self._run_again(job, counts=True)
            else:
                self._queue.append(id)
        # Those that ran come first as ids grow in the order of admission; nobody has been told a place yet.
        for place, id in enumerate(self._queue, 1):
            self._jobs[id].state = Waiting(place)
        return effects

    def submit(self, id: int, now: float) -> list[Effect]:
        """Append a job; whoever submitted it has been told ``next_position()``."""
        self._jobs[id] = Job(id, state=Waiting(len(self._queue) + 1))
        self._queue.append(id)
        return self._settle(now)

    def worker_ready(self, now: float) -> list[Effect]:
        """A worker takes jobs from now on."""
        self.admitting = True
        return self._settle(now)

    def hold(self) -> None:
        """Admit no more until ``worker_ready``."""
        self.admitting = False

    def apply(self, event: Event, now: float) -> list[Effect]:
        """Take note of a running job's event; events of other jobs change nothing."""
        running = self._running.get(event.job)
        if running is None:
            return []
        self._heard = now
        match event:
            case protocol.Started():
                running.nodes_total = event.nodes_total
            case protocol.NodeDone(cached=False):
                running.nodes_run += 1
            case protocol.Output():
                running.files = running.files + event.files
            case Done() | Failed() | Cancelled():
                return [self._end(event, reported=True), *self._settle(now)]
        return []

    def cancel(self, id: int, now: float) -> list[Effect]:
        """End a job: at once while it waits, through the worker while it runs (once, however often it is asked)."""
        state = self._jobs[id].state
        if isinstance(state, Waiting):
            self._queue.remove(id)
            return [self._end(Cancelled(job=id)), *self._settle(now)]
        if state.cancelled is not None:
            return []
        state.cancelled = now
        return [Interrupt(id)]

    def fail(self, id: int, error: ErrorInfo, now: float) -> list[Effect]:
        """End a job that cannot be given to the worker."""
        if id in self._queue:
            self._queue.remove(id)
        return [self._end(Failed(job=id, error=error)), *self._settle(now)]

    def put_back(self, id: int, now: float) -> list[Effect]:
        """An admitted job could not be given to the worker: it waits where it was, and all with it for a while."""
        if self._resume is None:
            self._resume, self._put_back = now + _PAUSE, 0
        job = self._jobs[id]
        job.attempts -= 1
        job.state = Waiting()
        del self._running[id]
        self._queue.insert(self._put_back, id)
        self._put_back += 1
        return self._moved()

    def worker_died(self, death: Death) -> list[Effect]:
        """The worker is gone: its culprits fail, cancelled jobs are cancelled, the others wait at the front again."""
        self.admitting = False
        self._replacing = False
        waiting, self._queue = self._queue, []
        effects: list[Effect] = []
        counting = self._counted(death)
        for id, running in list(self._running.items()):
            if running.cancelled is not None:
                effects.append(self._end(Cancelled(job=id)))
            elif id in death.culprits and death.error is not None:
                effects.append(self._end(Failed(job=id, error=death.error)))
            else:
                effects += self._run_again(self._jobs[id], id in counting)
        self._queue += waiting
        return [*effects, *self._moved()]

    # ------------------------------------------------------------ time

    def deadline(self) -> float | None:
        """The next moment at which ``expire`` has something to decide."""
        limits = [] if self._replacing else [limit for _, limit in self._limits()]
        return min(limits if self._resume is None else [*limits, self._resume], default=None)

    def expire(self, now: float) -> list[Effect]:
        """Replace the worker under jobs that did not end in time, or when nothing is heard of any; end a pause.

        One job may be silent for as long as another works: it waits for the model that the other one has.
        """
        return [*self._resumed(now), *self._replaced(now)]

    def _resumed(self, now: float) -> list[Effect]:
        if self._resume is None or now < self._resume:
            return []
        self._resume = None
        return self._settle(now)

    def _replaced(self, now: float) -> list[Effect]:
        late = [] if self._replacing else [id for id, limit in self._limits() if limit <= now]
        if not late:
            return []
        self._replacing = True
        return [ReplaceWorker(late, stalled=all(self._running[id].cancelled is None for id in late))]

    def _limits(self) -> Iterator[tuple[int, float]]:
        for id, running in self._running.items():
            if running.cancelled is not None:
                yield id, running.cancelled + self.limits.cancel_grace
            elif self.limits.progress_deadline:
                yield id, self._heard + self.limits.progress_deadline

    # ------------------------------------------------------------ steps

    def _can_admit(self) -> bool:
        return self.admitting and self._resume is None and not self._replacing and len(self._running) < self.limits.max_running

    def _settle(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        while self._queue and self._can_admit():
            effects.append(self._admit(self._jobs[self._queue.pop(0)], now))
        return [*effects, *self._moved()]

    def _admit(self, job: Job, now: float) -> Admit:
        job.attempts += 1
        self._heard = now
        job.state = self._running[job.id] = Running()
        return Admit(job.id, job.attempts)

    def _counted(self, death: Death) -> list[int]:
        """The running jobs whose attempt this death is."""
        if not death.counts:
            return []
        return [death.suspect] if death.suspect in self._running else self.running

    def _run_again(self, job: Job, counts: bool) -> list[Effect]:
        if counts and job.attempts >= self.limits.attempts:
            return [self._end(Failed(job=job.id, error=_interrupted(job).info()))]
        if not counts:
            job.attempts -= 1
        self._running.pop(job.id, None)
        job.state = Waiting()
        self._queue.append(job.id)
        return [Requeue(job.id, job.attempts)]

    def _end(self, event: JobEnd, reported: bool = False) -> End:
        job = self._jobs.pop(event.job)
        running = self._running.pop(event.job, None) or Running()
        files = event.files if isinstance(event, Done) else running.files
        run = running.nodes_run if isinstance(event, Cancelled) else len(event.executed) or running.nodes_run
        total = event.nodes_total if isinstance(event, Done) else running.nodes_total
        return End(job.id, event, reported, nodes_total=total, nodes_run=run, files=files)

    def _moved(self) -> list[Effect]:
        moved: list[Effect] = []
        for place, id in enumerate(self._queue, 1):
            state = self._jobs[id].state
            if isinstance(state, Waiting) and state.told != place:
                state.told = place
                moved.append(Moved(id, place))
        return moved


def _interrupted(job: Job) -> Interrupted:
    times = "once" if job.attempts == 1 else f"{job.attempts} times"
    return Interrupted(
        f"Job {job.id} was started {times} and its worker or daemon died under it each time; "
        "submit it again, or raise attempts, once `comfyd logs` shows why."
    )
