"""The device: torch as the engine's interpreter has it, asked in a process of its own, against the driver of the machine."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comfyd.errors import EngineNotFound

from .finding import Finding, ok, problem, warning
from .setup import Setup

_SECONDS = 120
_PROBE = """
import json, warnings
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import torch
    facts = {"torch": torch.__version__, "cuda": torch.version.cuda, "hip": getattr(torch.version, "hip", None)}
    facts["devices"] = []
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            known = torch.cuda.get_device_properties(number)
            facts["devices"].append([known.name, known.total_memory])
        try:
            torch.zeros(1, device="cuda").add_(1).item()
        except torch.OutOfMemoryError:
            facts["full"] = True
    facts["mps"] = bool(getattr(torch.backends, "mps", None) and torch.backends.mps.is_available())
facts["said"] = [str(one.message).splitlines()[0] for one in said if "CUDA" in str(one.message) or "driver" in str(one.message)]
print(json.dumps(facts))
"""


def examine(setup: Setup) -> Iterator[Finding]:
    """Whether torch can be imported and sees the GPU that the machine has."""
    found = setup.engine
    if isinstance(found, EngineNotFound):
        return
    python = found.engine.python
    facts = _ask(python)
    if isinstance(facts, str):
        fix = f"Install torch anew: `{python} -m pip install --force-reinstall torch torchvision torchaudio`."
        yield problem("torch", facts, fix)
        return
    yield from _judged(facts, _driver())


def _judged(facts: dict[str, Any], driver: str | None) -> Iterator[Finding]:
    built = f"CUDA {facts['cuda']}" if facts["cuda"] else f"ROCm {facts['hip']}" if facts["hip"] else "no GPU support"
    torch = f"{facts['torch']} with {built}"
    if facts["devices"]:
        yield ok("torch", torch)
        for name, memory in facts["devices"]:
            yield ok("device", f"{name}, {memory / 2**30:.0f} GiB" + (f", driver {driver}" if driver else ""))
        if facts.get("full"):
            yield warning("memory", "no memory of the device is free", "End what else uses it, or `comfyd unload --all`.")
    elif driver and not (facts["cuda"] or facts["hip"]):
        fix = "Install the CUDA build of torch, torchvision and torchaudio; jobs run on the CPU until then."
        yield warning("torch", f"{torch}, but the machine has an NVIDIA GPU (driver {driver})", fix)
    elif driver:
        reason = facts["said"][0] if facts["said"] else "torch sees no GPU"
        fix = "Update the driver, or install a torch built for an older CUDA; jobs run on the CPU until then."
        yield warning("torch", f"{torch} does not work with the driver {driver}: {reason}", fix)
    else:
        yield ok("torch", torch)
        yield ok("device", "Apple GPU" if facts["mps"] else "CPU; there is no GPU here")


def _ask(python: Path) -> dict[str, Any] | str:
    """What torch says of itself, or in a sentence why it does not."""
    try:
        command = [str(python), "-c", _PROBE]
        done = subprocess.run(
            command, cwd=python.anchor, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{python} does not run: {error}"
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return f"torch cannot be imported or used: {said[-1] if said else f'exit status {done.returncode}'}"
    facts: dict[str, Any] = json.loads(lines[-1])
    return facts


def _driver() -> str | None:
    """Version of the NVIDIA driver; None where there is none."""
    if not (tool := shutil.which("nvidia-smi")):
        return None
    try:
        command = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(done.stdout.split()), None)
