"""ComfyUI's progress of one job, turned into events."""

from typing import Any

from comfy_execution.progress import ProgressHandler

from comfyd.protocol import NodeStarted, Progress

from . import failures
from .workbench import Workbench


class ProgressEvents(ProgressHandler):  # type: ignore[misc]
    """Registered with the job's own progress registry."""

    def __init__(self, job: int, dynprompt: Any, bench: Workbench) -> None:
        super().__init__("comfyd")
        self._job = job
        self._dynprompt = dynprompt
        self._bench = bench

    def start_handler(self, node_id: str, state: Any, prompt_id: str) -> None:
        node = self._dynprompt.get_node(node_id)
        title, memory = failures.title(node), self._bench.meter.recent()
        self._bench.emit(NodeStarted(job=self._job, node=node_id, class_type=node["class_type"], title=title, memory=memory))

    def update_handler(self, node_id: str, value: float, max_value: float, state: Any, prompt_id: str, image: Any = None) -> None:
        memory = self._bench.meter.recent()
        self._bench.emit(Progress(job=self._job, node=node_id, value=int(value), max=int(max_value), memory=memory))
