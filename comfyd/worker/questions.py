"""What the engine asks of torch and the machine again and again in every run, answered without detours."""

import collections
import contextlib
import functools
import os
import types
from collections.abc import Callable
from typing import Any

import comfy.model_management
import comfy.samplers
import comfy.utils
import torch


def install() -> None:
    """Wraps the questions; a progress bar for a terminal, which nobody sees here, is no longer drawn."""
    comfy.model_management.get_free_memory = _free_memory(comfy.model_management.get_free_memory)
    comfy.utils.set_progress_bar_enabled(False)
    _seed_present_devices_only()
    comfy.samplers.collections = _remembering_classes()


def peak_allocated(device: torch.device) -> int:
    """torch.cuda.max_memory_allocated, without the hundred figures it comes with."""
    stats = torch.cuda.memory_stats_as_nested_dict(device)
    return int(stats["allocated_bytes"]["all"]["peak"]) if stats else 0  # a device not used yet has none


def _free_memory(original: Callable[..., Any]) -> Callable[..., Any]:
    """Free memory of a device; torch flattens and sorts hundreds of figures for two of them (model_management.py)."""
    available = _Available.find()

    @functools.wraps(original)
    def get_free_memory(dev: Any = None, torch_free_too: bool = False) -> Any:
        kind = getattr(dev, "type", None)
        if kind == "cuda" and torch.cuda.is_initialized():
            free, cached = _on_cuda(dev)
        elif kind == "cpu" and available is not None:
            free = cached = available.read()
        else:
            return original(dev, torch_free_too)
        return (free, cached) if torch_free_too else free

    return get_free_memory


def _on_cuda(device: torch.device) -> tuple[int, int]:
    """Bytes free on the device, those included that torch has cached; and these alone."""
    stats = torch.cuda.memory_stats_as_nested_dict(device)
    cached = stats["reserved_bytes"]["all"]["current"] - stats["active_bytes"]["all"]["current"]
    return torch.cuda.mem_get_info(device)[0] + cached, cached


class _Available:
    """MemAvailable of /proc/meminfo, which psutil reads with fifty other lines."""

    _MARK = b"MemAvailable:"

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def find(cls) -> "_Available | None":
        """None where the system does not tell it in this way."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            found = cls(os.open("/proc/meminfo", os.O_RDONLY))
            found.read()
            return found
        return None

    def read(self) -> int:
        """Bytes."""
        return int(os.pread(self._file, 512, 0).split(self._MARK, 1)[1].split(None, 1)[0]) * 1024


def _remembering_classes() -> types.ModuleType:
    """``collections`` for the samplers, who define the same class anew, and compile it, for all conditioning of every call."""
    known: dict[tuple[str, tuple[str, ...]], Any] = {}

    def namedtuple(typename: str, field_names: Any, **options: Any) -> Any:
        if options or isinstance(field_names, str):
            return collections.namedtuple(typename, field_names, **options)
        name = typename, tuple(field_names)
        if name not in known:
            known[name] = collections.namedtuple(typename, name[1], module=comfy.samplers.__name__)
        return known[name]

    module = types.ModuleType(collections.__name__)
    vars(module).update(vars(collections), namedtuple=namedtuple)
    return module


def _seed_present_devices_only() -> None:
    """torch remembers every seed, with a stack trace, for devices that may yet appear; those this torch lacks never do."""
    for name in ("cuda", "xpu", "mtia"):
        module = getattr(torch, name, None)
        if module is not None and not module.is_available():
            module.manual_seed_all = _nothing


def _nothing(seed: int) -> None:
    """There is no such device to seed."""
