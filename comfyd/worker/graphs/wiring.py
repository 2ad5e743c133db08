"""Puts graphs into the engine, on NVIDIA GPUs with torch's own allocator; elsewhere nothing is installed and nothing costs."""

import functools
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import comfy.model_management
import torch
from comfy.cli_args import args

from comfyd.protocol import Resident
from comfyd.worker.cache import Store

from . import diffusion, modules, status, weights
from .calls import Graphs
from .idle import Idle
from .ledger import Ledger
from .options import is_known

_active: Graphs | None = None
_idle: Idle | None = None


def active() -> Graphs | None:
    """The graphs of this process; None where there are none."""
    return _active


def install(limit: int, mode: Callable[[], str | None], standing_in: Callable[[str], AbstractContextManager[None]]) -> None:
    """Starts to make graphs within ``limit`` bytes; ``mode`` of the job that runs in this thread.

    A limit of 0 means a quarter of VRAM, a negative one no graphs. ``standing_in``: see Idle.
    """
    global _active, _idle
    if reason := _why_not(limit):
        logging.info("comfyd: no CUDA graphs: %s", reason)
        return
    from .capture import Cuda

    device = comfy.model_management.get_torch_device()
    limit = limit or torch.cuda.get_device_properties(device).total_memory // 4
    interrupts = (comfy.model_management.InterruptProcessingException,)
    capturing = Cuda(device)
    _active = graphs = Graphs(capturing, Ledger(limit), interrupts, is_known)
    _idle = Idle(graphs, capturing, standing_in)
    weights.watch(functools.partial(_unloaded, graphs))
    comfy.model_management.free_memory = _freeing(comfy.model_management.free_memory, graphs)
    for method in modules.methods():
        setattr(method.kind, method.name, modules.graphed(graphs, method, mode))


def look_again() -> None:
    """Another job may have run: weights may be elsewhere."""
    weights.look_again()


def meddled() -> None:
    """Code of node packs has run, or is about to, and may change what modules do."""
    weights.meddled()


def apply_model(guider: Any, mode: str, executor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The rest of the ``APPLY_MODEL`` chain, by a graph where there is one."""
    if _active is None:
        return executor(*args, **kwargs)
    comfy.model_management.throw_exception_if_processing_interrupted()  # as every layer asks when it runs eagerly
    return diffusion.apply_model(_active, guider, mode, executor, args, kwargs)


def left() -> bool:
    """Whether idle time can be used for a capture."""
    return _idle is not None and _idle.left


def capture() -> None:
    """Captures one call that was made once, in a thread that runs jobs while there is none; ends soon once it is interrupted."""
    if _idle is not None:
        _idle.capture()


def lines(store: Store) -> list[Resident]:
    """What ``ps`` says of graphs."""
    if _active is None:
        return []
    names = {
        owner: next(iter(entry.files), entry.class_type)
        for entry in sorted(store, key=lambda entry: bool(entry.files))
        for _, patcher in entry.patchers
        for owner in weights.owned_by(patcher.model)
    }
    return status.lines(_active, names, str(comfy.model_management.get_torch_device()))


def clear() -> None:
    """Drops every graph on request, and gives those another chance that had to make room."""
    if _active is not None:
        _active.clear("unloaded")
        _active.forgive()


def bury() -> None:
    """Drops the graphs of models that have gone."""
    if _active is not None:
        _active.bury()


def _why_not(limit: int) -> str:
    if limit < 0:
        return "they are turned off"
    if comfy.model_management.get_torch_device().type != "cuda" or not comfy.model_management.is_nvidia():
        return "the device is no NVIDIA GPU"
    if torch.cuda.get_allocator_backend() != "native":
        return "torch does not use its own allocator"
    return "--deterministic asks for other kernels" if args.deterministic else ""


def _unloaded(graphs: Graphs, model: torch.nn.Module) -> None:
    for owner in weights.owned_by(model):
        graphs.forget(owner)
    graphs.ledger.pardon()


def _freeing(original: Callable[..., Any], graphs: Graphs) -> Callable[..., Any]:
    """Lets graphs go before models do."""

    @functools.wraps(original)
    def free_memory(memory_required: float, device: Any, *rest: Any, **options: Any) -> Any:
        # The engine takes memory that torch holds and does not use for free, and the graphs' is of that kind.
        if graphs.ledger.graphs and memory_required > _unclaimed(device, graphs, memory_required):
            graphs.make_room("models or a job need their memory")
        return original(memory_required, device, *rest, **options)

    return free_memory


def _unclaimed(device: Any, graphs: Graphs, enough: float) -> float:
    """Bytes free on the device beside the graphs' pool; exact only where what the driver has is not ``enough``."""
    if device is None or comfy.model_management.is_device_cpu(device):
        return float("inf")
    free, _ = torch.cuda.mem_get_info(device)
    if free >= enough:
        return float(free)
    return float(comfy.model_management.get_free_memory(device)) - graphs.ledger.size
