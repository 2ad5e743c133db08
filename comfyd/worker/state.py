"""The process-wide state of ComfyUI and its libraries that belongs to one job at a time."""

import random
from typing import Any

import comfy.model_management
import comfy.utils
import comfy_execution.progress
import numpy
import torch
from comfy.cli_args import args
from comfy_execution.graph_utils import GraphBuilder

_PREFIX = ("_default_prefix_root", "_default_prefix_call_index", "_default_prefix_graph_index")


class GlobalState:
    """A job's own copy of the globals while it does not hold the baton.

    Random generators (Python, numpy, torch on CPU and GPU), ComfyUI's progress registry and hook, its interrupt flag, the preview
    method, the prefix of expanded node ids, and the server stand-in's current client and node.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._saved: dict[str, Any] | None = None

    def save(self) -> None:
        """Copies the globals away."""
        self._saved = {
            "python": random.getstate(),
            "numpy": numpy.random.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": _cuda_state(),
            "registry": comfy_execution.progress.global_progress_registry,
            "hook": comfy.utils.PROGRESS_BAR_HOOK,
            "interrupt": comfy.model_management.processing_interrupted(),
            "preview": args.preview_method,
            "prefix": [getattr(GraphBuilder, name) for name in _PREFIX],
            "server": (self._server.client_id, self._server.last_node_id, self._server.last_prompt_id),
        }

    def restore(self) -> None:
        """Puts them back; before the first save a job starts with what is there, other than a registry that is another job's."""
        saved = self._saved
        if saved is None:
            comfy_execution.progress.global_progress_registry = None
            return
        random.setstate(saved["python"])
        numpy.random.set_state(saved["numpy"])
        torch.set_rng_state(saved["torch"])
        if saved["cuda"] is not None:
            torch.cuda.set_rng_state(saved["cuda"])
        comfy_execution.progress.global_progress_registry = saved["registry"]
        comfy.utils.PROGRESS_BAR_HOOK = saved["hook"]
        comfy.model_management.interrupt_current_processing(saved["interrupt"])
        args.preview_method = saved["preview"]
        for name, value in zip(_PREFIX, saved["prefix"], strict=True):
            setattr(GraphBuilder, name, value)
        self._server.client_id, self._server.last_node_id, self._server.last_prompt_id = saved["server"]


def _cuda_state() -> torch.Tensor | None:
    """The GPU's generator; a GPU that has failed has none, and must not keep the baton from being passed on."""
    try:
        return torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None
    except RuntimeError:
        return None
