"""One job inside the worker: its thread's way through the graph, node by node, with ComfyUI's own execution."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Set
from typing import Any

import comfy.model_management
import execution
import nodes
from comfy_execution.graph import DynamicPrompt, ExecutionList
from comfy_execution.progress import ProgressHandler, add_progress_handler, reset_progress_state

from comfyd import errors
from comfyd.protocol import Cancelled, Done, Failed, FromWorker, NodeDone, NodeStarted, Output, Progress, Run, Started

from . import failures
from .baton import Baton, Turn
from .blackbox import BlackBox
from .cache import Store
from .files import fingerprint
from .keys import ContentKeys
from .memory import Meter
from .outputs import Staging, files_of, still_there
from .results import JobCaches, JobObjects, JobResults
from .state import GlobalState

_local = threading.local()


def current_job() -> "JobRun | None":
    """The job whose thread this is."""
    return getattr(_local, "job", None)


class Workbench:
    """What all jobs of the worker share."""

    def __init__(self, store: Store, server: Any, blackbox: BlackBox, emit: Callable[[FromWorker], None]) -> None:
        self.store = store
        self.server = server
        self.blackbox = blackbox
        self.emit = emit
        self.baton = Baton()
        self.staging = Staging()
        self.meter = Meter()
        self.instances: dict[tuple[bytes, str, str], Any] = {}
        self.contended: Callable[[], bool] = self.baton.has_ready
        """Whether anything waits for the running job to let go."""


class JobRun:
    """A job from its order to its final event; ``execute`` runs in a job thread, ``cancel`` in any."""

    def __init__(self, order: Run, bench: Workbench) -> None:
        self.id = order.job
        self._order = order
        self._bench = bench
        self.turn = Turn(GlobalState(bench.server))
        self._cancelled = False
        self._thread: int | None = None
        self._executed: list[str] = []
        self._files: list[str] = []
        self._node = ""
        self.ended = False
        self._stop: Callable[[], object] = lambda: None
        self._keys_held: Callable[[], Set[bytes]] = set

    def keys_held(self) -> Set[bytes]:
        """Results the job depends on, which must not be evicted under it."""
        return self._keys_held()

    # ------------------------------------------------------------ steps

    def cancel(self) -> None:
        """Ends the job at its next step, within a model call where the engine asks for interrupts, or in its wait for I/O."""
        self._cancelled = True
        self._stop()
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
        self._bench.baton.pass_on(self.turn)
        self._raise_if_cancelled()
        self._record()
        return True

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Lets the others step until the condition holds or the job is cancelled."""
        self._bench.baton.pass_on(self.turn, lambda: self._cancelled or condition())
        self._raise_if_cancelled()

    def holds_baton(self) -> bool:
        return self._bench.baton.holds(self.turn)

    def release(self) -> None:
        """Before the job's loop waits for I/O."""
        self._bench.baton.give(self.turn)

    def acquire(self) -> None:
        """After it."""
        self._bench.baton.take(self.turn)
        self._record()

    def _raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise comfy.model_management.InterruptProcessingException

    # ------------------------------------------------------------ the graph

    async def execute(self) -> None:
        """Runs the graph and emits the job's events, the last of which is final; holds the baton throughout."""
        self._enter_thread()
        self._bench.baton.take(self.turn)
        comfy.model_management.interrupt_current_processing(False)
        final: Done | Failed | Cancelled
        try:
            self._raise_if_cancelled()
            final = await self._run()
        except (comfy.model_management.InterruptProcessingException, asyncio.CancelledError):
            final = Cancelled(job=self.id)
        except errors.ComfydError as error:
            final = Failed(job=self.id, error=error.info(), node=self._node, executed=self._executed)
        except Exception as error:
            final = self._failed(error)
        await _end_tasks()
        self._bench.staging.discard()
        self._bench.blackbox.clear()
        _local.job = None
        self.ended = True
        self._bench.emit(final)
        self._bench.baton.give(self.turn)

    def _enter_thread(self) -> None:
        _local.job = self
        self._thread = threading.get_ident()
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            self._stop = lambda: loop.call_soon_threadsafe(task.cancel)

    async def _run(self) -> Done | Failed:
        begun = time.perf_counter()
        self._bench.meter.begin()
        graph = self._order.graph
        dynprompt = DynamicPrompt(graph)
        self._dynprompt = dynprompt
        reset_progress_state(str(self.id), dynprompt)
        add_progress_handler(_Events(self, self._bench))
        outputs = await self._validated(graph)
        caches = self._caches(dynprompt)
        cached = await caches.outputs.prepare(graph)
        self._bench.emit(Started(job=self.id, nodes_total=len(graph), cached=cached, attempt=self._order.attempt))
        ui = await self._execute_nodes(caches, dynprompt, outputs)
        if isinstance(ui, Failed):
            return ui
        return Done(
            job=self.id,
            seconds=time.perf_counter() - begun,
            executed=self._executed,
            nodes_total=len(graph),
            files=self._files,
            peak_memory=self._bench.meter.peak(),
            device=str(self._bench.meter.device),
            outputs=ui,
        )

    async def _validated(self, graph: dict[str, Any]) -> list[str]:
        """The output nodes, by ComfyUI's own validation (which also asks the nodes' VALIDATE_INPUTS); raises WorkflowInvalid."""
        valid, error, outputs, node_errors = await execution.validate_prompt(str(self.id), graph, None)
        if valid and not node_errors:
            return list(outputs)
        for node_id, found in node_errors.items():
            first = found["errors"][0]
            raise errors.WorkflowInvalid(f"node {node_id} ({found['class_type']}): {first['message']}: {first['details']}.")
        raise errors.WorkflowInvalid(f"{error['message']}; {error['details'] or 'add a node that saves or previews something'}.")

    def _caches(self, dynprompt: Any) -> JobCaches:
        is_changed = execution.IsChangedCache(str(self.id), dynprompt, None)
        keys = ContentKeys(dynprompt, is_changed.get, fingerprint)
        results = JobResults(self._bench.store, dynprompt, keys, still_there)
        self._keys_held = results.keys_held
        return JobCaches(results, JobObjects(self._bench.instances, dynprompt, keys))

    async def _execute_nodes(self, caches: JobCaches, dynprompt: Any, outputs: list[str]) -> dict[str, Any] | Failed:
        """ComfyUI's own loop (execution.py: ``PromptExecutor.execute_async``) with a step's end before every node."""
        ui: dict[str, Any] = {}
        executed: set[str] = set()
        subgraphs: dict[str, Any] = {}
        tasks: dict[str, Any] = {}
        todo = ExecutionList(dynprompt, caches.outputs)
        for node_id in outputs:
            todo.add_node(node_id)
        while not todo.is_empty():
            node_id, error, exception = await todo.stage_node_execution()
            if error is not None:
                return self._failed(exception)
            self.checkpoint()
            self._begin(node_id, caches.outputs)
            result, error, exception = await execution.execute(
                self._bench.server,
                dynprompt,
                caches,
                node_id,
                self._order.extra_data,
                executed,
                str(self.id),
                todo,
                subgraphs,
                tasks,
                ui,
            )
            if result == execution.ExecutionResult.FAILURE:
                return self._failed(exception, error.get("node_id", node_id))
            if result == execution.ExecutionResult.PENDING:
                todo.unstage_node_execution()
                continue
            todo.complete_node_execution()
            self._finish(node_id, node_id in executed, caches.outputs, ui.get(node_id))
        return {node_id: found["output"] for node_id, found in ui.items()}

    def _begin(self, node_id: str, results: JobResults) -> None:
        self._node = node_id
        results.started.setdefault(node_id, time.perf_counter())
        self._bench.staging.open(getattr(self._class(node_id), "RELATIVE_PYTHON_MODULE", "nodes"))
        self._record()

    def _finish(self, node_id: str, executed: bool, results: JobResults, ui: dict[str, Any] | None) -> None:
        self._bench.staging.publish()
        if executed:
            self._executed.append(node_id)
            seconds = time.perf_counter() - results.started[node_id]
            class_type = self._dynprompt.get_node(node_id)["class_type"]
            self._bench.emit(NodeDone(job=self.id, node=node_id, class_type=class_type, seconds=seconds))
        if files := [str(path) for path in files_of((ui or {}).get("output"))]:
            self._files.extend(files)
            self._bench.emit(Output(job=self.id, node=node_id, files=files))

    def _record(self) -> None:
        """Names this job's node in the black box."""
        if self._node:
            node = self._dynprompt.get_node(self._node)
            self._bench.blackbox.record(self.id, self._node, node["class_type"], failures.title(node))

    def _class(self, node_id: str) -> Any:
        return nodes.NODE_CLASS_MAPPINGS[self._dynprompt.get_node(node_id)["class_type"]]

    def _failed(self, error: BaseException, node_id: str | None = None) -> Failed:
        if isinstance(error, comfy.model_management.InterruptProcessingException):
            raise error
        node_id = node_id or self._node
        node = self._order.graph.get(node_id) or {"class_type": "workflow", "inputs": {}}
        files = {v: mark for v in node["inputs"].values() if isinstance(v, str) and (mark := fingerprint(v))}
        return Failed(job=self.id, error=failures.describe(error, node_id, node, files), node=node_id, executed=self._executed)

    # ------------------------------------------------------------ progress

    def node_started(self, node_id: str) -> None:
        node = self._dynprompt.get_node(node_id)
        event = NodeStarted(job=self.id, node=node_id, class_type=node["class_type"], title=failures.title(node))
        self._bench.emit(event)

    def node_progressed(self, node_id: str, value: float, total: float) -> None:
        memory = self._bench.meter.recent()
        self._bench.emit(Progress(job=self.id, node=node_id, value=int(value), max=int(total), memory=memory))


class _Events(ProgressHandler):  # type: ignore[misc]
    """ComfyUI's progress of one job, turned into events."""

    def __init__(self, job: JobRun, bench: Workbench) -> None:
        super().__init__("comfyd")
        self._job = job

    def start_handler(self, node_id: str, state: Any, prompt_id: str) -> None:
        self._job.node_started(node_id)

    def update_handler(self, node_id: str, value: float, max_value: float, state: Any, prompt_id: str, image: Any = None) -> None:
        self._job.node_progressed(node_id, value, max_value)


async def _end_tasks() -> None:
    """Async nodes that a failed or cancelled job leaves behind."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):  # a cancel of the job itself that comes too late
        await asyncio.gather(*left, return_exceptions=True)
