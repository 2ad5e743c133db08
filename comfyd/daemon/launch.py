"""What the worker's process is started with: which engine, which interpreter, which environment."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from comfyd import provenance
from comfyd.config import Config, Paths
from comfyd.errors import EngineNotInstalled

from .bootstrap import BOOTSTRAP

_GIB = 1024**3
_PACKAGE = Path(__file__).parent.parent
_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(64 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 1024**2),
}
"""glibc keeps what a model call frees for the next one: page faults were a tenth of a picture's time on a CPU (measured)."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """An engine and how to start it."""

    python: str
    module: str = "comfyd.worker.__main__"
    comfyui: str = ""
    version: str = ""
    args: list[str] = []
    notice: str = ""
    left_out: dict[str, str] = {}
    """Node packs that are not imported, and why."""

    @property
    def command(self) -> list[str]:
        """The worker's command line."""
        return [self.python, "-P", "-c", BOOTSTRAP, str(_PACKAGE), self.module, str(os.getpid())]


def find(config: Config, paths: Paths, installing: Callable[[str, float | None], None]) -> Launch:
    """The engine to start; installs the managed one where none is found. Blocks, for minutes when it installs."""
    if module := os.environ.get("COMFYD_WORKER_MODULE"):
        # Stands in for the engine, so that the daemon can be tested without one.
        return Launch(python=sys.executable, module=module)
    from comfyd.engine import install, locate

    try:
        engine = locate(config, paths)
    except EngineNotInstalled:
        if not config.auto_install:
            raise
        installing("installing ComfyUI", None)
        install(paths, progress=installing)
        engine = locate(config, paths)
    return Launch(
        python=str(engine.python),
        comfyui=str(engine.comfyui),
        version=engine.version,
        args=list(engine.args),
        notice=engine.notice,
    )


def catalogue_file(launch: Launch, config: Config, paths: Paths) -> Path:
    """Where this engine's node catalogue is kept, which the worker writes and everybody reads."""
    return provenance.file(paths.cache, launch.comfyui or launch.module, config.python, config.engine_args)


def environment(launch: Launch, config: Config, paths: Paths, address: str, blackbox: Path) -> dict[str, str]:
    """The daemon's own environment and what the worker has to know; sizes in bytes."""
    settings = {
        "comfyui": launch.comfyui,
        "engine_args": [*launch.args, *config.engine_args],
        "data": str(paths.data),
        "cache": str(paths.cache),
        "catalogue": str(catalogue_file(launch, config, paths)),
        "eager": config.eager_imports,
        "cache_ram": int(config.cache_ram * _GIB),
        "cache_vram": int(config.cache_vram * _GIB),
        "graphs_vram": int(config.graphs_vram * _GIB) if config.graphs else -1,
        "models_ram": int(config.models_ram * _GIB),
        "png": str(config.png),
        "receipts": str(paths.receipts),
        "left_out": launch.left_out,
    }
    return (
        _ALLOCATOR
        | os.environ
        | {
            "COMFYD_WORKER_ADDRESS": address,
            "COMFYD_WORKER_SETTINGS": json.dumps(settings),
            "COMFYD_WORKER_BLACKBOX": str(blackbox),
            "PYTHONUNBUFFERED": "1",
        }
    )
