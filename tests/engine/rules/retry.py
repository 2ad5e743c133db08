"""Run as a process: a model call with ControlNets that runs out of memory in its middle, beside graphs that make room for it.

``python -m tests.engine.rules.retry COMFYUI`` prints the results of the call when nothing happens, and when that does, as JSON.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["--cpu"]
import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()
import torch  # noqa: E402
from comfy.ldm.modules.diffusionmodules.openaimodel import apply_control  # noqa: E402
from comfy.patcher_extension import WrapperExecutor  # noqa: E402

from comfyd.worker.graphs import diffusion, own, weights  # noqa: E402
from tests.unit.worker.graphs.fake import make  # noqa: E402

SIGMAS = torch.linspace(1, 0, 21)


class Model(torch.nn.Module):
    """Takes two residuals of one list by ComfyUI's own function; its memory may run out between them."""

    def __init__(self) -> None:
        super().__init__()
        self.diffusion_model, self.model_sampling = torch.nn.Module(), torch.nn.Module()
        self.manual_cast_dtype, self.model_lowvram, self.lacks_memory = None, False, False
        plain: dict[str, Any] = {"injections": {}, "is_injected": False, "current_hooks": None, "forced_hooks": None}
        patcher = SimpleNamespace(model=self, is_dynamic=lambda: False, callbacks={}, object_patches={}, **plain)
        object.__setattr__(self, "current_patcher", patcher)

    def get_dtype(self) -> torch.dtype:
        return torch.float32

    def _apply_model(self, x: Any, t: Any, c_concat: Any, c_crossattn: Any, control: Any, transformer_options: Any) -> Any:
        half = apply_control(x.clone(), control, "output")
        if self.lacks_memory:
            self.lacks_memory = False
            raise MemoryError
        return apply_control(half, control, "output")


def main() -> dict[str, Any]:
    weights._tensor_reason = lambda tensor: ""
    diffusion._on_gpu = lambda x: True
    own._OWN |= {"__main__"}  # type: ignore[misc]
    graphs, _ = make()
    model = Model()

    def meet(executor: Any, *args: Any, **kwargs: Any) -> Any:
        return diffusion.apply_model(graphs, SimpleNamespace(model_options={}), "exact", executor, args, kwargs)

    def call(size: int) -> list[float]:
        control = {"output": [torch.full((1,), 10.0), torch.full((1,), 1.0)]}
        executor = WrapperExecutor.new_class_executor(model._apply_model, model, [meet])
        made = executor.execute(torch.zeros(size), torch.ones(1), None, None, control, {"sample_sigmas": SIGMAS})
        return [float(value) for value in made]

    plain = [call(1) for _ in range(4)]
    captured = graphs.ledger.graphs
    model.lacks_memory = True
    return {"plain": plain, "captured": captured, "again": call(2), "left": graphs.ledger.graphs}


if __name__ == "__main__":
    print(json.dumps(main()))
