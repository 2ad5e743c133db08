"""What `comfyd engine status` tells."""

import os
from dataclasses import dataclass
from pathlib import Path

from comfyd.config import Config, Paths

from . import managed
from .checkout import is_supported
from .discovery import Engine, engine_at, find


@dataclass(frozen=True)
class EngineStatus:
    """The engine that would be used, and what a person wants to know about it."""

    engine: Engine
    supported: bool
    """Whether its version was tried with this comfyd."""
    python_version: str
    torch: str
    size: int | None
    """Bytes of the managed tree; None for a checkout of the user's own."""
    user_directory: Path
    """Where models, input, output and custom_nodes are."""


def status(config: Config, paths: Paths) -> EngineStatus:
    """Looks without starting anything; raises EngineNotFound as `locate` does."""
    comfyui, python = find(config, paths)
    engine = engine_at(comfyui, python.path, paths)
    return EngineStatus(
        engine=engine,
        supported=is_supported(engine.version),
        python_version=".".join(map(str, python.version)),
        torch=python.torch,
        size=tree_size(engine.comfyui) if engine.managed else None,
        user_directory=managed.user_directory(paths) if engine.managed else engine.comfyui,
    )


def tree_size(tree: Path) -> int:
    """Bytes of the files below a directory."""
    return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(tree) for name in names)
