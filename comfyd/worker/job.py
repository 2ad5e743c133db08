"""One job inside the worker: its thread, its turns with the baton, and how it ends."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Set

import comfy.model_management
import comfy_execution.progress

from comfyd import errors
from comfyd.modes import EXACT, FAST
from comfyd.protocol import Cancelled, Failed, JobEnd, Run

from .baton import Turn
from .fast.fallback import FellBack
from .graph import GraphRun
from .outputs import writes
from .state import GlobalState
from .wanted import Wanted
from .workbench import Workbench

_local = threading.local()


def current_job() -> "JobRun | None":
    """The job whose thread this is."""
    return getattr(_local, "job", None)


class JobRun:
    """A job from its order to its final event; ``execute`` runs in a job thread, ``cancel`` in any."""

    def __init__(self, order: Run, bench: Workbench) -> None:
        self.id = order.job
        self.turn = Turn(GlobalState(bench.server))
        self.ended = False
        self._bench = bench
        self._graph = GraphRun(order, bench, self.checkpoint, lambda: self._cancelled)
        self._cancelled = False
        self._fell_back = False
        self._thread: int | None = None
        self._stop: Callable[[], object] = lambda: None

    @property
    def mode(self) -> str:
        """How the job is being made."""
        return EXACT if self._fell_back else self._graph.mode

    @property
    def preview(self) -> Wanted:
        """Whether somebody wants to see what it makes."""
        return self._graph.preview

    @property
    def node(self) -> str:
        """The node of the user's graph that executes."""
        return self._graph.node

    def samples(self) -> None:
        """A sampler is about to hand the device its first work."""
        self._graph.samples()

    def called_model(self) -> None:
        """A model call is about to go to the device."""
        self._graph.called_model()

    def fall_back(self) -> None:
        """A model of the job cannot be run in fast mode: raises FellBack, and the job starts again in exact mode."""
        if self.mode == FAST:
            self._fell_back = True
            raise FellBack

    def tell(self, doing: str) -> None:
        """Says what keeps the node from stepping."""
        self._graph.tell(doing)

    def keys_held(self) -> Set[bytes]:
        """Results the job depends on, which must not be evicted under it."""
        return self._graph.keys_held()

    def blocked(self, node_id: str, message: str) -> None:
        """A node did not run because one before it blocked it with a message for people."""
        self._graph.blocked(node_id, message)

    # ------------------------------------------------------------ steps

    def cancel(self) -> None:
        """Ends the job at its next step, within a model call where the engine asks for interrupts, or in its wait for I/O."""
        self._cancelled = True
        self._stop()
        with writes.changed:
            writes.changed.notify_all()
        with self._bench.baton.changed:
            if self._bench.baton.holds(self.turn):
                comfy.model_management.interrupt_current_processing(True)
            self._bench.baton.changed.notify_all()

    def owns_thread(self) -> bool:
        return threading.get_ident() == self._thread

    def checkpoint(self) -> bool:
        """A step's end: ends a cancelled job, lets others go first; True when they did."""
        self._raise_if_cancelled()
        if not self._bench.contended():
            return False
        self._pass_on()
        return True

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Lets the others step until the condition holds or the job is cancelled."""
        self._pass_on(lambda: self._cancelled or condition())

    def holds_baton(self) -> bool:
        return self._bench.baton.holds(self.turn)

    def release(self) -> None:
        """Before the job's loop waits for I/O."""
        self._bench.blackbox.clear()
        self._bench.baton.give(self.turn)

    def acquire(self) -> None:
        """After it."""
        self._bench.baton.take(self.turn)
        self._graph.record()

    def _pass_on(self, until: Callable[[], bool] | None = None) -> None:
        self._bench.blackbox.clear()
        self._bench.baton.pass_on(self.turn, until)
        self._graph.record()
        self._raise_if_cancelled()

    def _raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise comfy.model_management.InterruptProcessingException
        if self._fell_back:  # which a node has kept to itself
            raise FellBack

    # ------------------------------------------------------------ from start to end

    async def execute(self) -> None:
        """Runs the graph and emits the job's events, the last of which is final; holds the baton throughout; never raises.

        Whatever happens, the baton is given back and a final event sent: the others wait for the one, the daemon for the other.
        Where files of the job are still on their way the baton goes first, so that they are written while others step.
        """
        self._enter_thread()
        self._bench.baton.take(self.turn)
        try:
            end: JobEnd = await self._outcome()
        except BaseException as error:
            end = self._without_result(error)
        finally:
            self._leave_thread()
        if not self._graph.delivering():
            self._emit_end(end)
        self._bench.baton.leave()
        if not self.ended:
            self._emit_end(end)

    def _emit_end(self, end: JobEnd) -> None:
        """The final event, once the files are there; the engine's loop takes note of it."""
        try:
            end = self._graph.delivered(end, lambda: self._cancelled)
        except BaseException as error:
            end = self._without_result(error)
        with self._bench.baton.changed:
            self._bench.emit(end)
            self.ended = True
            self._bench.baton.changed.notify_all()

    def _without_result(self, error: BaseException) -> Failed:
        logging.error("comfyd: job %d ended without a result", self.id, exc_info=error)
        reason = f"The job ended without a result ({type(error).__name__}); see `comfyd logs`."
        return Failed(job=self.id, error=errors.JobFailed(reason).info())

    async def _outcome(self) -> JobEnd:
        try:
            comfy.model_management.interrupt_current_processing(False)
            self._raise_if_cancelled()
            return await self._made()
        except (comfy.model_management.InterruptProcessingException, asyncio.CancelledError):
            return Cancelled(job=self.id)
        except BaseException as error:  # a node's SystemExit too
            return self._graph.failed(error)
        finally:
            await _end_tasks()
            self._graph.leave()

    async def _made(self) -> JobEnd:
        try:
            end = await self._graph.run()
            if not self._fell_back:
                return end
        except FellBack:
            pass
        await _end_tasks()
        self._graph.leave()
        self._bench.blackbox.clear()
        self._graph, self._fell_back = self._graph.exactly(), False
        self._raise_if_cancelled()
        return await self._graph.run()

    def _enter_thread(self) -> None:
        _local.job = self
        self._thread = threading.get_ident()
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            self._stop = lambda: loop.call_soon_threadsafe(task.cancel)

    def _leave_thread(self) -> None:
        # ComfyUI's global registry refers to the job, and with it to every result that it has touched.
        comfy_execution.progress.global_progress_registry = None
        self._bench.blackbox.clear()
        _local.job = None


async def _end_tasks() -> None:
    """Async nodes that a failed or cancelled job leaves behind; none may go on in the next job of this thread."""
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in left:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # a cancel of the job itself that comes too late
            await asyncio.wait(left)
