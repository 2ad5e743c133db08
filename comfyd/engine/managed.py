"""The ComfyUI that comfyd keeps itself: disposable trees below ``engine``, the user's files apart from them in ``comfyui``.

Each tree is a directory ``engine/<version>-<digest>`` that came into being in one step and bears a marker. Models,
results and custom nodes are never inside: ComfyUI is given the directory ``comfyui`` as its base directory.
"""

import contextlib
import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from comfyd.config import Paths

from .progress import Progress

MARKER = ".comfyd-managed"
_PARTIAL = ".partial-"
USER_FOLDERS = ("models", "input", "output", "custom_nodes", "user", "temp")
_SEEDS = ("models", "input", "custom_nodes")


@dataclass(frozen=True)
class Marker:
    """What a managed tree says of itself."""

    version: str
    source: str
    digest: str
    """sha256 of the archive, or the commit of a git source."""
    date: str
    """Moment of installation, ISO 8601 in UTC."""


def root(paths: Paths) -> Path:
    """The directory of the managed trees."""
    return paths.data / "engine"


def user_directory(paths: Paths) -> Path:
    """Base directory of the managed ComfyUI: models, input, output, custom_nodes, user, temp."""
    return paths.data / "comfyui"


def arguments(paths: Paths) -> tuple[str, ...]:
    """ComfyUI's arguments for a managed tree."""
    base = user_directory(paths)
    extra = base / "extra_model_paths.yaml"
    return ("--base-directory", str(base), *(("--extra-model-paths-config", str(extra)) if extra.is_file() else ()))


def read_marker(tree: Path) -> Marker | None:
    """The tree's marker, or None where it bears none."""
    try:
        return Marker(**json.loads((tree / MARKER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_marker(tree: Path, marker: Marker) -> None:
    """Make a tree ours."""
    (tree / MARKER).write_text(json.dumps(asdict(marker), indent=1) + "\n", encoding="utf-8")


def is_managed(tree: Path, paths: Paths) -> bool:
    """Whether a tree is one of ours, which comfyd may delete."""
    return tree.parent == root(paths) and not tree.is_symlink() and read_marker(tree) is not None


def trees(paths: Paths) -> list[Path]:
    """Every managed tree, the newest first."""
    found = {tree: marker for tree in _children(paths) if is_managed(tree, paths) and (marker := read_marker(tree))}
    return sorted(found, key=lambda tree: found[tree].date, reverse=True)


def tree_of(paths: Paths, digest: str) -> Path | None:
    """The managed tree that was made from this archive or commit."""
    return next((tree for tree in trees(paths) if (marker := read_marker(tree)) and marker.digest == digest), None)


def furnish(paths: Paths, tree: Path) -> None:
    """Make the user's directories and put in what ComfyUI ships for them, never over a file that is there."""
    for name in USER_FOLDERS:
        (user_directory(paths) / name).mkdir(parents=True, exist_ok=True)
    for name in _SEEDS:
        for file in (tree / name).rglob("*"):
            target = user_directory(paths) / file.relative_to(tree)
            if file.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)


@contextlib.contextmanager
def exclusively(paths: Paths, progress: Progress) -> Iterator[None]:
    """One installation or removal at a time, across processes; ends with the process, however that dies."""
    root(paths).mkdir(parents=True, exist_ok=True)
    with (root(paths) / ".lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Waiting for another installation to end", None)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def workspace(paths: Paths) -> Iterator[Path]:
    """A directory on the trees' file system for what is not finished; whatever kills us, `sweep` finds it."""
    with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=root(paths), ignore_cleanup_errors=True) as work:
        yield Path(work)


def sweep(paths: Paths) -> None:
    """Clear what interrupted installations left, and all trees but the newest, which a worker may be using."""
    for partial in root(paths).glob(f"{_PARTIAL}*"):
        shutil.rmtree(partial, ignore_errors=True)
    for tree in trees(paths)[1:]:
        delete(paths, tree)


def delete(paths: Paths, tree: Path) -> None:
    """Take a managed tree out of sight in one step, then delete it."""
    with workspace(paths) as work:
        tree.replace(work / tree.name)


def _children(paths: Paths) -> list[Path]:
    return list(root(paths).iterdir()) if root(paths).is_dir() else []
