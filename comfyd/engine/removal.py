"""Deletes the managed ComfyUI and nothing else."""

from dataclasses import dataclass
from pathlib import Path

from comfyd.config import Paths
from comfyd.errors import EngineNotFound

from . import managed, record
from .progress import silent
from .report import tree_size


@dataclass(frozen=True)
class Removed:
    """What was deleted, and where the user's files still are."""

    trees: list[Path]
    freed: int
    """Bytes."""
    kept: Path
    """Models, results and custom nodes of the managed ComfyUI; comfyd never deletes them."""


def remove(paths: Paths) -> Removed:
    """Delete every tree that bears comfyd's marker; raises EngineNotFound where there is none."""
    with managed.exclusively(paths, silent):
        trees = managed.trees(paths)
        if not trees:
            raise EngineNotFound(_refusal(paths))
        freed = sum(map(tree_size, trees))
        if record.read(paths) in trees:
            record.forget(paths)
        for tree in trees:
            managed.delete(paths, tree)
    return Removed(trees, freed, managed.user_directory(paths))


def _refusal(paths: Paths) -> str:
    chosen = record.read(paths)
    if chosen is not None:
        return f"{chosen} was not installed by comfyd, so comfyd does not delete it; remove it by hand if you want to."
    return f"There is nothing to remove: no directory in {managed.root(paths)} bears comfyd's marker."
