"""A job's way through its graph, node by node, with ComfyUI's own execution."""

import time
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any

import comfy.model_management
import execution
import nodes
from comfy_execution.graph import DynamicPrompt
from comfy_execution.progress import add_progress_handler, reset_progress_state
from msgspec import structs

from comfyd import errors
from comfyd.modes import EXACT, FAST
from comfyd.protocol import Cancelled, Done, Failed, JobEnd, NodeDone, Output, Progress, Run, Started

from . import failures, ondevice
from .fast.available import granted
from .fast.fallback import FellBack
from .files import model_files
from .graphs import wiring as graphs
from .graphs.own import may_change_modules
from .keys import ContentKeys
from .outputs import Staging, files_of
from .plain import plain, text
from .progress import ProgressEvents
from .results import JobCaches, JobObjects, JobResults
from .validation import outputs_of
from .wanted import Wanted
from .workbench import Workbench


class GraphRun:
    """Executes one order's graph in the job's thread; ``checkpoint`` is called between nodes."""

    def __init__(self, order: Run, bench: Workbench, checkpoint: Callable[[], bool], cancelled: Callable[[], bool]) -> None:
        self._order = order
        self._bench = bench
        self._checkpoint = checkpoint
        self._cancelled = cancelled
        self._dynprompt = DynamicPrompt(order.graph)
        is_changed = execution.IsChangedCache(str(order.job), self._dynprompt, None)
        keys = ContentKeys(self._dynprompt, is_changed.get)
        self.mode = granted(order.mode)
        self.preview = Wanted()
        self.first_call: float | None = None
        self.first_kernel: float | None = None
        keys.mode = "" if self.mode == EXACT else self.mode
        self._staging = Staging(order.job, self._tell, cancelled)
        self._results = JobResults(bench.store, self._dynprompt, keys, self._staging.usable)
        self._caches = JobCaches(self._results, JobObjects(bench.instances, self._dynprompt, keys))
        self._device_times = ondevice.Times()
        self._begun = 0.0
        self._node = ""
        self._executed: list[str] = []
        self._files: list[str] = []
        self._blocked: tuple[errors.NodeFailed, str] | None = None

    def keys_held(self) -> Set[bytes]:
        return self._results.keys_held()

    @property
    def node(self) -> str:
        """The node of the user's graph that executes."""
        return str(self._dynprompt.get_display_node_id(self._node))

    def samples(self) -> None:
        """A sampler, its model loaded, is about to hand the device its first work."""
        self.first_kernel = self.first_kernel or time.time()

    def called_model(self) -> None:
        """A model call is about to go to the device."""
        self.first_call = self.first_call or time.time()

    def exactly(self) -> "GraphRun":
        """The same job in exact mode, from its start; files that this run has made go, unless another job has them too."""
        self._staging.deliveries.abandon()
        self._staging.deliveries.wait(self._cancelled)
        for file in self._results.withdraw():
            file.unlink(missing_ok=True)
        again = GraphRun(structs.replace(self._order, mode=EXACT), self._bench, self._checkpoint, self._cancelled)
        again.preview, again._begun = self.preview, self._begun
        again.first_call, again.first_kernel = self.first_call, self.first_kernel
        return again

    def record(self) -> None:
        """Names this job's node in the black box."""
        if self._node:
            node = self._dynprompt.get_node(self._node)
            self._bench.blackbox.record(self._order.job, self._node, node["class_type"], failures.title(node))

    def tell(self, doing: str) -> None:
        """What the present node does besides stepping."""
        self._bench.emit(Progress(job=self._order.job, node=self.node, value=0, max=0, doing=doing))

    def blocked(self, node_id: str, message: str) -> None:
        """Keeps the first message of an ExecutionBlocker: the other branches run, and then the job fails with it."""
        self._results.blocked = True
        node_id = self._dynprompt.get_display_node_id(node_id)
        where = f"node {node_id} ({failures.title(self._dynprompt.get_node(node_id))})"
        self._blocked = self._blocked or (errors.NodeFailed(f"{where}: {text(message)}"), node_id)

    def leave(self) -> None:
        """After the end, whatever it was."""
        self._device_times.end()
        self._staging.discard()
        self._bench.meter.end(self._order.job)

    async def run(self) -> Done | Failed:
        """From validation to the last node; raises InterruptProcessingException, CancelledError and ComfydError.

        Raises FellBack where a model of it is known not to run in its mode.
        """
        self._begun = self._begun or time.perf_counter()
        self._bench.meter.begin(self._order.job)
        self._staging.enter()
        graph = self._order.graph
        reset_progress_state(str(self._order.job), self._dynprompt)
        add_progress_handler(ProgressEvents(self._order.job, self._dynprompt, self._bench, self.preview))
        outputs = await outputs_of(self._order.job, graph, self._bench.emit)
        cached = await self._results.prepare(graph)
        if self.mode == FAST and self._results.refused():
            raise FellBack
        self._bench.emit(Started(job=self._order.job, nodes_total=len(graph), cached=cached, attempt=self._order.attempt))
        ui = await self._execute_nodes(outputs)
        return ui if isinstance(ui, Failed) else self._done(ui)

    async def _execute_nodes(self, outputs: list[str]) -> dict[str, Any] | Failed:
        """ComfyUI's own loop (execution.py: ``PromptExecutor.execute_async``) with a step's end before every node."""
        ui: dict[str, Any] = {}
        executed: set[str] = set()
        subgraphs: dict[str, Any] = {}
        tasks: dict[str, Any] = {}
        todo = ondevice.Todo(self._dynprompt, self._results)
        for node_id in outputs:
            todo.add_node(node_id)
        while not todo.is_empty():
            node_id, error, exception = await todo.stage_node_execution()
            if error is not None:
                return self.failed(exception)
            self._checkpoint()
            if unwritten := self._staging.deliveries.failure():
                return self.failed(*unwritten)
            self._begin(node_id)
            result, error, exception = await execution.execute(
                self._bench.server,
                self._dynprompt,
                self._caches,
                node_id,
                self._order.extra_data,
                executed,
                str(self._order.job),
                todo,
                subgraphs,
                tasks,
                ui,
            )
            if (node_id in executed or error is not None) and may_change_modules(self._class(node_id)):
                graphs.meddled()
            if result == execution.ExecutionResult.FAILURE:
                return self.failed(exception, error.get("node_id", node_id))
            if result == execution.ExecutionResult.PENDING:
                todo.unstage_node_execution()
                continue
            todo.complete_node_execution()
            self._finish(node_id, node_id in executed, ui.get(node_id))
        if self._blocked:
            return self.failed(*self._blocked)
        return {node_id: found["output"] for node_id, found in ui.items()}

    def _begin(self, node_id: str) -> None:
        self._node = node_id
        self._results.started.setdefault(node_id, time.perf_counter())
        self._staging.open(self._class(node_id))
        self._device_times.begin(node_id, self._class(node_id))
        if self._cancelled():  # while files that the node may look for were on their way
            raise comfy.model_management.InterruptProcessingException
        self.record()

    def _finish(self, node_id: str, executed: bool, ui: dict[str, Any] | None) -> None:
        self._device_times.end()
        self._staging.publish()
        job = self._order.job
        if executed:
            self._executed.append(node_id)
            seconds = time.perf_counter() - self._results.started[node_id]
            class_type = self._dynprompt.get_node(node_id)["class_type"]
            self._bench.emit(NodeDone(job=job, node=node_id, class_type=class_type, seconds=seconds))
        if files := files_of((ui or {}).get("output")):
            self._files.extend(text(str(path)) for path in files)
            self._staging.deliveries.add(node_id, files)

    def _tell(self, node_id: str, files: list[Path]) -> None:
        """The files of a node are there."""
        self._bench.emit(Output(job=self._order.job, node=node_id, files=[text(str(path)) for path in files]))

    def delivering(self) -> bool:
        """Whether files of the job are on their way."""
        return self._staging.deliveries.pending()

    def delivered(self, end: JobEnd, cancelled: Callable[[], bool]) -> JobEnd:
        """Waits until the job's files are there; the job's end, which is another where they are not."""
        deliveries = self._staging.deliveries
        deliveries.wait(cancelled)
        if cancelled() and deliveries.pending():
            deliveries.abandon()
            return Cancelled(job=end.job)
        if not isinstance(end, Done):
            return end
        if unwritten := deliveries.failure():
            return self.failed(*unwritten)
        seconds = time.perf_counter() - self._begun
        return structs.replace(end, seconds=seconds, device_seconds=self._device_times.read())

    def _class(self, node_id: str) -> Any:
        return nodes.NODE_CLASS_MAPPINGS[self._dynprompt.get_node(node_id)["class_type"]]

    def _done(self, ui: dict[str, Any]) -> Done:
        return Done(
            job=self._order.job,
            seconds=time.perf_counter() - self._begun,
            executed=self._executed,
            nodes_total=len(self._order.graph),
            files=self._files,
            peak_memory=self._bench.meter.peak(self._order.job),
            device=str(self._bench.meter.device),
            outputs=plain(ui),
            mode=self.mode,
            first_call=self.first_call,
            first_kernel=self.first_kernel,
        )

    def failed(self, error: BaseException, node_id: str | None = None) -> Failed:
        """The job's end by this error; an interrupt is raised on."""
        if isinstance(error, comfy.model_management.InterruptProcessingException):
            raise error
        node_id = node_id or self._node
        if isinstance(error, errors.ComfydError):
            return Failed(job=self._order.job, error=error.info(), node=node_id, executed=self._executed)
        node = self._order.graph.get(node_id) or {"class_type": "workflow", "inputs": {}}
        description = failures.describe(error, node_id, node, model_files(node))
        return Failed(job=self._order.job, error=description, node=node_id, executed=self._executed)
