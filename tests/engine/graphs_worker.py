"""``python -m tests.engine.graphs_worker``: a worker whose CPU is a GPU to the graphs, with a stand-in for CUDA's captures.

A capture in idle time waits as long as the file that ``HOLD`` names is there; ``HOLD``.held is there once one has waited.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOLD = "COMFYD_TEST_HOLD"


def pretend() -> None:
    """To be called when the engine is imported."""
    import comfy.model_management
    import torch

    from comfyd.worker.graphs import capture, diffusion, modules, weights, wiring
    from comfyd.worker.job import current_job
    from tests.unit.worker.graphs.fake import FakeCapturing, FakeGraph

    hold = Path(os.environ[HOLD])

    class Captures(FakeCapturing):
        def __init__(self, device: torch.device) -> None:
            super().__init__()

        def capture(
            self, function: Callable[[list[torch.Tensor]], Any], tensors: list[torch.Tensor], compiled: bool
        ) -> FakeGraph:
            while hold.exists() and current_job() is None:
                hold.with_suffix(".held").touch()
                comfy.model_management.throw_exception_if_processing_interrupted()
                time.sleep(0.001)
            return super().capture(function, tensors, compiled)

        def lacks_memory(self, error: BaseException) -> bool:
            return False

    install = wiring.install
    wiring.install = lambda limit, *rest: install(limit or 1 << 30, *rest)
    capture.Cuda = Captures  # type: ignore[assignment, misc]
    wiring._why_not = lambda limit: ""
    diffusion._on_gpu = lambda x: True
    modules._device = lambda args, kwargs: ""
    weights._tensor_reason = lambda tensor: ""


def started(pretend: Callable[[], None]) -> None:
    """Runs a worker, in which ``pretend`` is called when the engine is imported."""
    from comfyd.worker import __main__, boot

    load = boot.load

    def loading(*arguments: Any) -> Any:
        loaded = load(*arguments)
        pretend()
        return loaded

    boot.load = loading
    __main__.main()


if __name__ == "__main__":
    started(pretend)
