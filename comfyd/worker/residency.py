"""What stays in memory between jobs: the list that ``ps`` shows, letting go on request, budgets of the machine at hand."""

import ctypes
import gc
from collections.abc import Collection
from pathlib import Path
from typing import Any

import comfy.model_management
import psutil
import torch

from comfyd.protocol import Resident

from .cache import Budget, Entry, Store
from .encodes import encodes
from .fast import wiring as fast
from .graphs import wiring as graphs
from .settings import Settings

RESULTS = "results"
"""The name under which ``ps`` lists, and ``unload`` takes, the cached node results."""


def budget(settings: Settings) -> Budget:
    """The bytes set, or an eighth of RAM, a sixteenth of VRAM for results and six tenths of RAM for models."""
    ram = psutil.virtual_memory().total
    vram = torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else ram
    return Budget(
        ram=settings.cache_ram or ram // 8,
        vram=settings.cache_vram or vram // 16,
        models=settings.models_ram or ram * 6 // 10,
    )


def residents(store: Store, in_use: Collection[bytes]) -> list[Resident]:
    """One line for each model held, by the file it came from, and one for all cached results of each device."""
    lines: list[Resident] = []
    seen: set[int] = set()
    for entry in sorted(store, key=lambda e: not e.files):
        for kind, patcher in entry.patchers:
            if id(patcher.model) not in seen:
                seen.add(id(patcher.model))
                lines.append(_model_line(entry, kind, patcher, entry.key in in_use))
    return lines + graphs.lines(store) + _result_lines(store, in_use)


def unload(store: Store, names: list[str], everything: bool) -> tuple[list[str], list[str], int]:
    """Lets go of what is named; returns (names let go, names nothing has, bytes freed). Memory in use by a job goes with it."""
    known = {name(entry) for entry in store if entry.patchers} | {RESULTS}
    wanted = known if everything else set(names) & known
    before = _total(store)
    victims = [entry for entry in store if _named(entry, wanted)]
    models = {model for entry in victims for model in entry.models}
    victims += [entry for entry in store if models & entry.models.keys()]
    for entry in victims:
        store.drop(entry.key)
    gone = {name(entry) if entry.patchers else RESULTS for entry in victims} & wanted
    if everything:
        graphs.clear()
    if RESULTS in wanted:
        encodes.clear()
    _leave_device(victims)
    return sorted(gone), sorted(set(names) - known), before - _total(store)


def collect() -> None:
    """Frees what dropped entries held: patchers and their models refer to each other."""
    gc.collect()
    graphs.bury()
    comfy.model_management.cleanup_models_gc()
    comfy.model_management.soft_empty_cache()
    _give_back()


def _give_back() -> None:
    """Has the C library return to the system what models have left in its heaps; others than glibc cannot be asked to."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def drop_dead() -> None:
    """Frees models that nothing but their own cycle holds: those of a file that has changed since, or of a failed job."""
    comfy.model_management.cleanup_models_gc()


def name(entry: Entry) -> str:
    """The file a model came from, as the workflow names it, else the class of the node that made it."""
    return next(iter(entry.files), entry.class_type)


def _named(entry: Entry, wanted: set[str]) -> bool:
    return name(entry) in wanted if entry.patchers else RESULTS in wanted


def _leave_device(entries: list[Entry]) -> None:
    for entry in entries:
        for _, patcher in entry.patchers:
            comfy.model_management.unload_model_and_clones(patcher, unload_additional_models=False)


def _total(store: Store) -> int:
    return sum(store.used(kind) for kind in ("ram", "vram", "models"))


def _model_line(entry: Entry, kind: str, patcher: Any, in_use: bool) -> Resident:
    device = patcher.current_loaded_device() if patcher.loaded_size() else patcher.offload_device
    return Resident(
        name=Path(name(entry)).as_posix(),
        kind=kind,
        size=patcher.model_size(),
        device=str(device),
        last_used=entry.used_at,
        in_use=in_use,
        note=fast.state(patcher.model),
    )


def _result_lines(store: Store, in_use: Collection[bytes]) -> list[Resident]:
    entries = [entry for entry in store if not entry.patchers]
    lines = []
    for device, size in (("cpu", sum(e.ram for e in entries)), ("gpu", sum(e.vram for e in entries))):
        if size:
            last = max(entry.used_at for entry in entries)
            used = any(entry.key in in_use for entry in entries)
            lines.append(
                Resident(name=RESULTS, kind=f"{len(entries)} nodes", size=size, device=device, last_used=last, in_use=used)
            )
    return lines
