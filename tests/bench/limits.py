"""What the device could do: floating-point operations of a picture, the rate of a matrix product, one model call as a graph.

``python -m tests.bench.limits COMFYUI CHECKPOINT SIZE`` measures in a process of its own and prints JSON.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .ledger import Ledger
from .work import Work


def measure(ledger: Ledger, work: Work, comfyui: Path, checkpoint: Path) -> None:
    """Adds a ``limits`` row for the work."""
    command = [sys.executable, "-m", "tests.bench.limits", str(comfyui), str(checkpoint), str(work.size)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        ledger.add("failed", what="limits", detail=told.stderr[-1500:])
        return
    ledger.add("limits", work=work.name, steps=work.steps, **json.loads(told.stdout.splitlines()[-1]))


def _main(comfyui: str, checkpoint: str, size: int) -> None:
    sys.path.insert(0, comfyui)
    sys.argv = sys.argv[:1] + ([] if Path("/dev/nvidiactl").exists() else ["--cpu"])
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.model_management
    import comfy.sd
    import torch

    model, clip, vae, _ = comfy.sd.load_checkpoint_guess_config(checkpoint, output_vae=True, output_clip=True)
    with torch.inference_mode():
        comfy.model_management.load_models_gpu([model], force_full_load=True)
        latent = torch.zeros(1, model.model.latent_format.latent_channels, size // 8, size // 8)
        pooled = clip.encode_from_tokens(clip.tokenize("a red fox"), return_pooled=True)
        call = _call(model, latent, pooled)
        found: dict[str, Any] = {"call_flops": _flops(call), "decode_flops": _flops(lambda: vae.decode(latent))}
        found["matmul_flops_per_s"] = _matmul(model.load_device)
        found["eager_ms"] = _milliseconds(call)
        if model.load_device.type == "cuda":
            found["replay_ms"] = _milliseconds(_graph(call))
    print(json.dumps(found))


def _call(model: Any, latent: Any, encoded: Any) -> Callable[[], Any]:
    """One call of the diffusion model for a prompt and a negative prompt."""
    import torch

    context, pooled = encoded
    device, dtype = model.load_device, model.model.get_dtype_inference()
    named: dict[str, Any] = {"context": torch.cat([context, context]).to(device, dtype)}
    adm = model.model.encode_adm(pooled_output=pooled, width=latent.shape[3] * 8, height=latent.shape[2] * 8, device=device)
    if adm is not None:
        named["y"] = torch.cat([adm, adm]).to(device, dtype)
    x = torch.randn(2, *latent.shape[1:]).to(device, dtype)
    t = torch.full((2,), 500.0, device=device)
    return lambda: model.model.diffusion_model(x, t, transformer_options={}, **named)


def _flops(run: Callable[[], Any]) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


def _matmul(device: Any) -> float:
    """Operations per second of a large product of random half-precision matrices (single precision on a CPU)."""
    import torch

    n, dtype = (8192, torch.float16) if device.type == "cuda" else (1536, torch.float32)
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    return 2 * n**3 / (_milliseconds(lambda: a @ b) / 1000)


def _graph(run: Callable[[], Any]) -> Callable[[], None]:
    import torch

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        run()
        run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    replay: Callable[[], None] = graph.replay
    return replay


def _milliseconds(run: Callable[[], Any], count: int = 12) -> float:
    """Median of runs that are waited for one by one."""
    import torch

    def wait() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    times = []
    for _ in range(count + 3):
        wait()
        begun = time.perf_counter()
        run()
        wait()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times[3:])


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
