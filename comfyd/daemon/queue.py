"""The queue as it is acted out: ``Jobs`` decides, and journal, worker and clients learn of it here, in that order."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from comfyd.effects import Admit, Effect, End, Interrupt, Moved, ReplaceWorker, Requeue
from comfyd.errors import ComfydError
from comfyd.jobs import Death, Jobs
from comfyd.journal import Forgotten, Journal, state_of
from comfyd.protocol import (
    Accepted,
    CancelReply,
    CancelRun,
    EngineInfo,
    EngineState,
    Event,
    Failed,
    Graph,
    Message,
    Preview,
    PreviewOrder,
    Queued,
    Submit,
    ToClient,
    encode,
)
from comfyd.workflow.wording import plain

from .clients import Caller, Clients
from .followers import Followers
from .receipts import Receipts
from .submit import extra_data

log = logging.getLogger("comfyd.jobs")

_AGAIN = 1.0  # seconds until a journal that could not be read at the start is tried again
_PATIENCE = 3.0  # seconds without a job that can be read, after which those who follow waiting jobs are told


class RunEncoded(Message, frozen=True, tag="Run"):
    """``protocol.Run`` with parts that stay encoded as the journal keeps them."""

    job: int
    graph: msgspec.Raw
    extra_data: msgspec.Raw
    attempt: int
    mode: str


class WorkerEnd(Protocol):
    """What the queue asks of the supervisor."""

    def order(self, payload: bytes) -> None:
        """Send an encoded order to the worker, if there is one."""

    def replace(self, late: ReplaceWorker) -> None:
        """Kill the worker and start another."""


class Queue:
    """All jobs of one daemon; ``on_change`` is called whenever a job began or ceased to run."""

    worker: WorkerEnd

    def __init__(self, jobs: Jobs, journal: Journal, receipts: Receipts, clients: Clients, on_change: Callable[[], None]) -> None:
        self.jobs = jobs
        self.journal = journal
        self.followers = Followers()
        self._receipts = receipts
        self._clients = clients
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._complaint = ""
        """Why what an earlier daemon left could not be read."""
        self._unreadable: float | None = None
        """Since when no job can be read."""
        self._handed_over = 0
        """The job that is with the worker already and about to be admitted."""

    # ------------------------------------------------------------ from clients

    def accept(self, caller: Caller, request: Submit, overrides: dict[str, object], graph: Graph) -> None:
        """Journal a bound job, say so, and let it take its place; raises QueueFull or JournalUnavailable."""
        self.jobs.check_room()
        nodes, extra = encode(graph), encode(extra_data(request))
        job = self.journal.add(request.workflow, overrides, nodes, extra, time.time(), request.mode, request.sweep)
        self._receipts.forget(job)
        if request.follow:
            self.followers.follow(job, caller, preview=request.preview)
        position = self.jobs.next_position()
        effects = self.jobs.submit(job, self._loop.time())
        if effects and isinstance(effects[0], Admit) and effects[0].job == job:
            # Before all else, because the worker's way to its first step is the longest.
            self._hand_over(effects[0], nodes, extra, request.mode)
            self._handed_over = job
        log.info("job %d queued (%s)", job, plain(request.workflow) or "unnamed", extra={"job": job})
        self._clients.send(caller, Accepted(job=job, position=position, overrides=overrides))
        self._perform(effects)

    def watch(self, caller: Caller, job: int, *, preview: bool = False) -> None:
        """Tell the caller what happened to an unfinished job so far, and what will."""
        for payload in self.followers.follow(job, caller, preview=preview):
            self._clients.relay(caller, payload, final=False)
        self._ask_for_previews(job)
        if position := self.jobs.position(job):
            self._clients.send(caller, Queued(job=job, position=position))

    def cancel(self, caller: Caller, job: int) -> None:
        """End an unfinished job; the caller is told once it has ended."""
        self.followers.await_end(job, caller)
        log.info("job %d is to be cancelled", job, extra={"job": job})
        self._perform(self.jobs.cancel(job, self._loop.time()))

    # ------------------------------------------------------------ from the worker

    def event(self, event: Event, payload: bytes) -> None:
        """An event of a job, with the bytes it came in."""
        if event.job not in self.jobs.running:
            return
        effects = self.jobs.apply(event, self._loop.time())
        if effects:
            self._perform(effects, payload)
        elif isinstance(event, Preview):
            self._show(event.job, payload)
        elif not event.FINAL:
            self.followers.note(event, payload)
            self._relay(event.job, payload)

    def worker_ready(self) -> None:
        """The worker takes jobs."""
        self._perform(self.jobs.worker_ready(self._loop.time()))

    def worker_died(self, death: Death) -> None:
        """The worker is gone."""
        self._perform(self.jobs.worker_died(death))

    # ------------------------------------------------------------ from the daemon

    def restore(self) -> None:
        """Take over the journal's unfinished jobs, later where it cannot be read now."""
        unfinished = self._unfinished()
        if unfinished is None:
            self._loop.call_later(_AGAIN, self.restore)
            return
        earlier = [found for found in unfinished if self.jobs.get(found[0]) is None]
        if earlier:
            log.info("%d unfinished jobs of an earlier daemon", len(earlier))
        self._perform(self.jobs.restore(earlier))
        if self.jobs.admitting:
            self.worker_ready()

    def _unfinished(self) -> list[tuple[int, bool, int]] | None:
        for _ in range(2):  # a file that turns out to be damaged is made anew for the second try, with what could be saved
            try:
                unfinished = self.journal.unfinished()
                self._receipts.keep([job for job, _, _ in unfinished])
                return unfinished
            except ComfydError as error:
                if error.message != self._complaint:
                    log.error("%s", error.message)
                self._complaint = error.message
        return None

    def release_waiting(self, error: ComfydError) -> None:
        """End the requests, not the jobs, of those who follow waiting jobs."""
        for job in self.jobs.queue:
            ours = type(error)(f"{error.message.rstrip('.')}; job {job} stays queued.", error.detail)
            for caller in self.followers.release(job):
                self._clients.refuse(caller, ours)

    def tell_waiting(self, engine: EngineInfo) -> None:
        """Tell those who follow waiting jobs how far the engine's start has come."""
        for job in self.jobs.queue:
            self._tell(self.followers.of(job), EngineState(engine=engine))

    # ------------------------------------------------------------ effects

    def _perform(self, effects: list[Effect], payload: bytes = b"") -> None:
        left = deque(effects)
        while left:
            effect = left.popleft()
            match effect:
                case Admit():
                    left.extend(self._admit(effect))
                case Interrupt():
                    self.worker.order(encode(CancelRun(job=effect.job)))
                case Requeue():
                    self._requeue(effect)
                case Moved():
                    self._tell(self.followers.of(effect.job), Queued(job=effect.job, position=effect.position))
                case End():
                    self._end(effect, payload)
                case ReplaceWorker():
                    self.worker.replace(effect)
        self._set_timer()
        self._on_change()

    def _admit(self, effect: Admit) -> list[Effect]:
        """Give the job to the worker; what follows where it cannot be read."""
        if self._handed_over != effect.job:
            try:
                encoded = self.journal.graph(effect.job)
            except Forgotten as error:
                return self.jobs.fail(effect.job, error.info(), self._loop.time())
            except ComfydError as error:
                return self._put_back(effect.job, error)
            self._unreadable = None
            self._take_back(effect.job)
            self._hand_over(effect, *encoded)
        self._handed_over = 0
        self._record(self.journal.start, effect.job, effect.attempt, time.time())
        log.info("job %d started (attempt %d)", effect.job, effect.attempt, extra={"job": effect.job})
        self._ask_for_previews(effect.job)
        return []

    def _put_back(self, job: int, error: ComfydError) -> list[Effect]:
        """The journal keeps the job for a better moment; those who wait for it are told, unless that comes soon."""
        now = self._loop.time()
        effects = self.jobs.put_back(job, now)
        if self._unreadable is None:
            self._unreadable = now
            log.error("%s", error.message)
        elif now - self._unreadable > _PATIENCE:
            self.release_waiting(error)
        return effects

    def _hand_over(self, effect: Admit, graph: bytes, extra_data: bytes, mode: str) -> None:
        """Send the worker its order, with what the journal has of the job."""
        order = RunEncoded(
            job=effect.job, graph=msgspec.Raw(graph), extra_data=msgspec.Raw(extra_data), attempt=effect.attempt, mode=mode
        )
        self.worker.order(encode(order))

    def _take_back(self, job: int) -> None:
        """What an attempt whose end nobody heard of has published is no result; where that cannot be told it stays."""
        try:
            self._receipts.take_back(job, self.journal.told)
        except ComfydError as error:
            log.error("%s", error.message)

    def _requeue(self, effect: Requeue) -> None:
        log.info("job %d queued again", effect.job, extra={"job": effect.job})
        self.followers.forget_events(effect.job)
        self._record(self.journal.requeue, effect.job, effect.attempts)

    def _end(self, effect: End, payload: bytes) -> None:
        state = state_of(effect.event)
        why = f": {effect.event.error.message}" if isinstance(effect.event, Failed) else ""
        log.info("job %d %s%s", effect.job, state, why, extra={"job": effect.job})
        self._record(self.journal.end, effect, time.time())
        following, cancelling = self.followers.end(effect.job)
        for caller in following:
            self._clients.relay(caller, payload if effect.reported else encode(effect.event), final=True)
        self._tell(cancelling, CancelReply(job=effect.job, state=state))
        self._receipts.forget(effect.job)

    def _record(self, write: Callable[..., None], *values: object) -> None:
        """What has happened has happened, whether or not it can be written down."""
        try:
            write(*values)
        except ComfydError as error:
            log.error("%s", error.message)

    def _tell(self, callers: list[Caller], message: ToClient) -> None:
        for caller in callers:
            self._clients.send(caller, message)

    def _relay(self, job: int, payload: bytes) -> None:
        for caller in self.followers.of(job):
            self._clients.relay(caller, payload, final=False)

    # ------------------------------------------------------------ previews

    def _ask_for_previews(self, job: int) -> None:
        if job in self.jobs.running and self.followers.want_previews(job):
            self.worker.order(encode(PreviewOrder(job=job, wanted=True)))

    def _show(self, job: int, payload: bytes) -> None:
        """To those who look at them; where nobody is left who does, no more are made."""
        for caller in self.followers.to_preview(job):
            self._clients.relay(caller, payload, final=False)
        if not self.followers.want_previews(job):
            self.worker.order(encode(PreviewOrder(job=job, wanted=False)))

    # ------------------------------------------------------------ time

    def _set_timer(self) -> None:
        """Wake up at the next deadline; a later one needs no new timer, as waking up too early does no harm."""
        deadline = self.jobs.deadline()
        if deadline is None or (self._timer is not None and self._timer.when() <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._perform(self.jobs.expire(self._loop.time()))
