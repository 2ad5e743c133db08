"""The daemon's loop: receive, decide, act. Every request gets exactly one final message."""

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from comfyd.config import Config, Paths
from comfyd.errors import ComfydError, DaemonStopping
from comfyd.jobs import Death, Jobs, Limits
from comfyd.journal import Journal, state_of
from comfyd.modes import chosen
from comfyd.protocol import (
    Cancel,
    CancelReply,
    EngineInfo,
    Event,
    HistoryRequest,
    JobEnd,
    JobRequest,
    PlanRequest,
    PreviewTaken,
    PsRequest,
    QueueRequest,
    Reply,
    Request,
    StatusReply,
    StatusRequest,
    Stop,
    Stopped,
    Submit,
    Unload,
    WaitReady,
    Watch,
    encode,
)

from . import answers
from .clients import Caller, Clients
from .pending import Pending
from .plan import Planner
from .queue import Queue
from .receipts import Receipts
from .submit import bound, bound_at_once, with_values
from .supervisor import Supervisor
from .timings import Timings
from .unload import unload

log = logging.getLogger("comfyd.daemon")

_STOPPING = "The daemon is stopping; `comfyd restart` waits for its end and starts it again."


class Daemon:
    """All parts of one daemon, wired; ``start``, ``serve`` and ``close`` are its life."""

    def __init__(self, config: Config, paths: Paths) -> None:
        self._paths = paths
        self._mode = config.mode
        self._started = time.time()
        self._stop_callers: list[Caller] = []
        self._unbound = 0
        self._stopping = False
        self._stop_now = False
        self._finished = asyncio.Event()
        self._clients = Clients(self._receive, self._gone)
        self._pending = Pending(self._clients)
        self._journal = Journal(paths.journal, config.history)
        self._jobs = Jobs(limits(config))
        receipts = Receipts(paths.receipts)
        self._queue = Queue(self._jobs, self._journal, receipts, self._clients, self._finish_if_idle)
        self._engine = Supervisor(config, paths, self)
        self._queue.worker = self._engine
        self._timings = Timings(self._journal)
        self._planner = Planner(self._engine, self._jobs, self._journal, self._timings)

    def start(self) -> None:
        """Take up the journal's jobs, answer clients, begin to start the engine."""
        self._queue.restore()
        self.listen()
        self._engine.start()

    def listen(self) -> None:
        """Take connections, also when the socket's path was removed."""
        self._clients.listen(self._paths)
        self._engine.listen_again()

    async def serve(self) -> None:
        """Run until stopped."""
        await self._finished.wait()
        await self._engine.stop(self._stop_now)
        self._queue.release_waiting(DaemonStopping(_STOPPING))

    async def close(self, release: Callable[[], None]) -> None:
        """Make way for another daemon, then answer those who asked for the stop."""
        await self._pending.finish(limit=1.0)
        self._journal.close()
        self._paths.socket.unlink(missing_ok=True)
        release()
        for caller in self._stop_callers:
            self._clients.send(caller, Stopped(requeued=self._jobs.queue))
        self._clients.close()
        log.info("stopped; %d jobs wait for the next start", len(self._jobs.queue))

    def stop(self, now: bool) -> None:
        """Begin to stop, or hurry up with it: ``now`` puts running jobs back into the queue."""
        log.info("stopping%s", " now" if now else f" after jobs {self._jobs.running}" if self._jobs.running else "")
        self._stop_now |= now
        if not self._stopping:
            self._stopping = True
            self._jobs.hold()
            self._engine.give_up(DaemonStopping(_STOPPING))
            self._queue.release_waiting(DaemonStopping(_STOPPING))
        self._finish_if_idle()

    def signalled(self) -> None:
        """A signal to stop; the second one means now."""
        self.stop(now=self._stopping)

    def _finish_if_idle(self) -> None:
        if self._stopping and (self._stop_now or not self._jobs.running):
            self._finished.set()

    # ------------------------------------------------------------ requests

    def _receive(self, caller: Caller, request: Request) -> None:
        with self._pending.refusing(caller):
            self._dispatch(caller, request)

    def _dispatch(self, caller: Caller, request: Request) -> None:
        match request:
            case Submit():
                self._take(caller, msgspec.structs.replace(request, mode=chosen(request.mode, self._mode)))
            case PlanRequest():
                self._pending.begin(caller, self._plan(caller, request))
            case Unload():
                self._pending.begin(caller, self._unload(caller, request))
            case WaitReady():
                self._pending.begin(caller, self._wait_ready(caller))
            case Watch():
                self._watch(caller, request)
            case PreviewTaken():
                self._queue.followers.took_preview(caller)
            case Cancel(job=job):
                self._cancel(caller, job)
            case Stop(now=now):
                self._stop_callers.append(caller)
                self.stop(now)
            case _:
                self._clients.send(caller, self._look(request))

    def _look(self, request: StatusRequest | QueueRequest | HistoryRequest | JobRequest | PsRequest) -> Reply:
        match request:
            case StatusRequest():
                return self._status()
            case QueueRequest():
                return answers.queue(self._jobs, self._journal)
            case HistoryRequest():
                return answers.history(request, self._journal)
            case JobRequest(job=job):
                return answers.job(job, self._jobs, self._journal)
            case PsRequest():
                return answers.ps(self._engine)

    def _check_taking(self) -> None:
        self._check_running()
        self._jobs.check_room(pending=self._unbound)

    def _take(self, caller: Caller, request: Submit) -> None:
        self._check_taking()
        if ready := bound_at_once(request, self._engine):
            self._queue.accept(caller, request, request.held | ready.overrides, ready.graph)
        else:
            self._pending.begin(caller, self._submit(caller, request))

    async def _submit(self, caller: Caller, request: Submit) -> None:
        self._check_taking()  # again: others may have begun before this task did
        self._unbound += 1
        try:
            with self._pending.told_of(self._engine.info, caller):
                ready = await bound(request, self._engine, self._journal)
                request = await with_values(request, ready, self._engine)
        finally:
            self._unbound -= 1
        self._check_running()
        self._queue.accept(caller, request, request.held | ready.overrides, ready.graph)

    async def _plan(self, caller: Caller, request: PlanRequest) -> None:
        request = msgspec.structs.replace(request, mode=chosen(request.mode, self._mode))
        with self._pending.told_of(self._engine.info, caller):
            reply = await self._planner.plan(request)
        self._clients.send(caller, reply)

    def _watch(self, caller: Caller, request: Watch) -> None:
        job = request.job
        if self._jobs.get(job) is None:
            self._clients.relay(caller, encode(self._end_of(job)), final=True)
            return
        if self._jobs.position(job):
            self._check_running()
            self._engine.start()
        self._queue.watch(caller, job, preview=request.preview)

    def _cancel(self, caller: Caller, job: int) -> None:
        if self._jobs.get(job) is None:
            self._clients.send(caller, CancelReply(job=job, state=state_of(self._end_of(job))))
            return
        self._queue.cancel(caller, job)

    async def _unload(self, caller: Caller, request: Unload) -> None:
        self._clients.send(caller, await unload(request, self._engine))

    async def _wait_ready(self, caller: Caller) -> None:
        self._check_running()
        with self._pending.told_of(self._engine.info, caller):
            await self._engine.ready()
        self._clients.send(caller, self._status())

    def _status(self) -> StatusReply:
        return answers.status(self._jobs, self._engine, self._paths, self._started, self._stopping, self._journal.notice)

    def _end_of(self, job: int) -> JobEnd:
        end = self._journal.end_of(job) if 0 < job <= self._journal.newest() else None
        if end is None:
            raise answers.no_such_job(job, self._journal)
        return end

    def _check_running(self) -> None:
        if self._stopping:
            raise DaemonStopping(_STOPPING)

    # ------------------------------------------------------------ what the supervisor reports

    def engine_changed(self, info: EngineInfo) -> None:
        """Tell whoever waits for the engine."""
        self._pending.tell(info)
        self._queue.tell_waiting(info)

    def engine_ready(self) -> None:
        """Let waiting jobs go."""
        self._timings.new_process()
        self._planner.ready_at = time.time()
        if not self._stopping:
            self._queue.worker_ready()

    def engine_failed(self, error: ComfydError) -> None:
        """Those who follow waiting jobs would wait for ever."""
        self._queue.release_waiting(error)

    def job_event(self, event: Event, payload: bytes) -> None:
        """Apply and relay it."""
        self._timings.event(event, self._jobs.running)
        self._queue.event(event, payload)
        if isinstance(event, JobEnd):
            self._timings.end(event, self._engine.catalogue, self._engine.info.device)

    def worker_died(self, death: Death) -> None:
        """Decide what becomes of its jobs."""
        self._queue.worker_died(death)

    def _gone(self, connection: bytes) -> None:
        """A client has vanished; its jobs go on."""
        self._queue.followers.drop(connection)
        self._pending.drop(connection)


def limits(config: Config) -> Limits:
    """What of the configuration rules the queue."""
    return Limits(
        max_running=config.max_running,
        max_queue=config.max_queue,
        attempts=config.attempts,
        cancel_grace=config.cancel_grace,
        progress_deadline=config.progress_deadline,
    )
