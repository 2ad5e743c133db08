"""The step loop over the running jobs: admit, step, emit."""

import time
from collections import deque
from collections.abc import Callable

from comfyd.modes import FAST
from comfyd.protocol import (
    Cancelled,
    CancelRun,
    Describe,
    Described,
    Order,
    PlanOrder,
    PreviewOrder,
    Residency,
    Run,
    Shutdown,
    Unloaded,
    UnloadOrder,
)

from . import catalogue, ondevice, residency
from .baton import Turn
from .idletime import IdleTime
from .job import JobRun
from .later import Later
from .plan import Plans
from .threads import JobThreads
from .workbench import Workbench

_IDLE = 0.02  # seconds without work after which the daemon is told what is resident
_STALE = 1.0  # seconds of work after which it is told all the same


class Engine:
    """Runs jobs until it is shut down; ``post`` may be called in any thread, ``run`` in the main one."""

    def __init__(self, bench: Workbench, later: Later) -> None:
        self._bench = bench
        self._later = later
        self._changed = bench.baton.changed
        self._inbox: deque[Order] = deque()
        self._jobs: dict[int, JobRun] = {}
        self._threads = JobThreads()
        self._idle = IdleTime(later, self._threads, bench.baton.changed, self._has_work)
        self._plans = Plans(bench.store, bench.emit)
        self._stopping = False
        self._resting = False
        """Whether the loop waits for something to do."""
        self._report_due: float | None = None
        bench.contended = lambda: bool(self._inbox) or bench.baton.has_ready()

    def post(self, order: Order) -> None:
        """Takes an order; a cancel reaches a running job at once, and a look at it disturbs nobody."""
        if isinstance(order, CancelRun) and (job := self._jobs.get(order.job)):
            job.cancel()
            return
        if isinstance(order, PreviewOrder) and (job := self._jobs.get(order.job)):
            job.preview.wanted = order.wanted
            return
        if isinstance(order, PlanOrder):
            self._plans.post(order)
        with self._changed:
            if isinstance(order, Run) and self._can_begin(order):
                self._begin(order, self._bench.baton.entrust)  # the loop, woken for it, would do the same, only later
                return
            self._inbox.append(order)
            self._idle.give_way()
            self._changed.notify_all()

    def run(self) -> None:
        """Until Shutdown, and then until no job runs."""
        while not (self._stopping and not self._jobs):
            self._wait()
            self._settle()
            self._admit()
            self._step()

    def _wait(self) -> None:
        """Until there is work; says what is resident where there is none, so that no job waits behind the telling."""
        with self._changed:
            limit = _IDLE if self._report_due is not None or self._idle.left else None
            self._resting = True
            busy = self._changed.wait_for(self._has_work, limit)
            self._resting = False
            self._bench.baton.await_return()  # by a job that has begun meanwhile
            busy = busy or self._has_work()
        if not busy and not self._jobs:
            ondevice.settle(self._bench.store, until=self._has_work)
        if self._report_due is not None and (not busy or time.monotonic() > self._report_due):
            self._report()
        if not busy and not self._jobs and self._idle.left and self._idle.piece():
            self._report_due = time.monotonic() + _STALE

    def _has_work(self) -> bool:
        return bool(self._inbox) or self._bench.baton.has_ready() or any(job.ended for job in self._jobs.values())

    def _admit(self) -> None:
        while self._inbox:
            order = self._inbox.popleft()
            match order:
                case Run():
                    self._start(order)
                case CancelRun():
                    self._cancel(order.job)
                case PreviewOrder():
                    self._preview(order)
                case Describe():
                    self._bench.emit(Described(request=order.request, classes=catalogue.describe(order.classes)))
                case PlanOrder():
                    self._plans.answer(order)
                case UnloadOrder():
                    self._unload(order)
                case Shutdown():
                    self._stop(order)

    def _can_begin(self, order: Run) -> bool:
        """Whether a job can be begun from whatever thread its order has come in: nothing has to be seen to before it.

        That is another job, the rest of a start, or, in fast mode, the search for a compiler.
        """
        alone = self._resting and not (self._jobs or self._inbox or self._stopping)
        return alone and not self._later.left and order.mode != FAST

    def _start(self, order: Run) -> None:
        self._later.before(order.graph)
        self._begin(order, self._bench.baton.lend)

    def _begin(self, order: Run, lend: Callable[[Turn, Callable[[], None]], None]) -> None:
        job = self._jobs[order.job] = JobRun(order, self._bench)
        lend(job.turn, lambda: self._threads.start_job(job))

    def _cancel(self, job_id: int) -> None:
        """Cancels a job whose order lay in the inbox when the cancel came; one that is not known has nothing left to run."""
        if job := self._jobs.get(job_id):
            job.cancel()
        else:
            self._bench.emit(Cancelled(job=job_id))

    def _preview(self, order: PreviewOrder) -> None:
        """One that came with its job's order; a job that is not known has ended."""
        if job := self._jobs.get(order.job):
            job.preview.wanted = order.wanted

    def _step(self) -> None:
        self._bench.baton.lend_next()

    def _settle(self) -> None:
        """Before orders are taken: one that lets go of models finds no ended job that still refers to them."""
        ended = [job.id for job in self._jobs.values() if job.ended]
        for job_id in ended:
            del self._jobs[job_id]
            self._threads.leave(job_id)
        if ended:
            self._idle.worked()
            self._tidy()

    def _tidy(self) -> None:
        """After a job: budgets, and soon the daemon's picture of what is resident."""
        store = self._bench.store
        if store.exceeds("vram"):
            ondevice.settle(store, until=lambda: not store.exceeds("vram"))
        gone = store.evict(self._in_use())
        if any(entry.patchers for entry in gone):
            gone.clear()
            residency.collect()
        residency.drop_dead()
        if self._report_due is None:
            self._report_due = time.monotonic() + _STALE

    def _report(self) -> None:
        self._report_due = None
        lines = residency.residents(self._bench.store, self._in_use())
        self._bench.emit(Residency(residents=lines, memory=self._bench.meter.now()))

    def _in_use(self) -> set[bytes]:
        return {key for job in self._jobs.values() for key in job.keys_held()}

    def _unload(self, order: UnloadOrder) -> None:
        names, unknown, freed = residency.unload(self._bench.store, order.names, order.everything)
        self._bench.instances.clear()
        residency.collect()
        self._report()  # first, so that who has waited for the answer is told no old list
        self._bench.emit(Unloaded(request=order.request, names=names, unknown=unknown, freed=freed))

    def _stop(self, order: Shutdown) -> None:
        self._stopping = True
        if order.now:
            for job in self._jobs.values():
                job.cancel()
