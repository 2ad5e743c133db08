"""ComfyUI's progress of one job, turned into events."""

from typing import Any

from comfy_execution.progress import ProgressHandler

from comfyd.protocol import NodeStarted, Preview, Progress

from . import failures
from .wanted import Wanted
from .workbench import Workbench

_PICTURE = 256
"""Pixels of the longer side of a preview that ComfyUI or a node pack has made."""


class ProgressEvents(ProgressHandler):  # type: ignore[misc]
    """Registered with the job's own progress registry."""

    def __init__(self, job: int, dynprompt: Any, bench: Workbench, preview: Wanted) -> None:
        super().__init__("comfyd")
        self._job = job
        self._dynprompt = dynprompt
        self._bench = bench
        self._preview = preview

    def start_handler(self, node_id: str, state: Any, prompt_id: str) -> None:
        node = self._dynprompt.get_node(node_id)
        title, memory = failures.title(node), self._bench.meter.recent()
        self._bench.emit(NodeStarted(job=self._job, node=node_id, class_type=node["class_type"], title=title, memory=memory))

    def update_handler(self, node_id: str, value: float, max_value: float, state: Any, prompt_id: str, image: Any = None) -> None:
        memory = self._bench.meter.recent()
        self._bench.emit(Progress(job=self._job, node=node_id, value=int(value), max=int(max_value), memory=memory))
        if image is not None and self._preview.wanted:
            self._bench.emit(self._shown(node_id, int(value), int(max_value), image[1]))

    def _shown(self, node_id: str, value: int, last: int, image: Any) -> Preview:
        """A picture (PIL) that was made beside a step."""
        small = image.convert("RGB")
        small.thumbnail((_PICTURE, _PICTURE))
        width, height = small.size
        return Preview(job=self._job, node=node_id, value=value, max=last, width=width, height=height, data=small.tobytes())
