"""Installs the managed ComfyUI: fetched, verified, unpacked apart, and put in place in one step."""

import errno
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from comfyd.config import Paths
from comfyd.errors import EngineInstallFailed

from . import archive, git, index, managed, record
from .checkout import missing_files, read_version
from .discovery import Engine, engine_at
from .progress import Progress, silent


def install(paths: Paths, source: str | None = None, progress: Progress = silent) -> Engine:
    """Install from the package index, or from a git URL with an optional @ref, and make it the engine that is used.

    Blocks; waits for another installation of the same data directory; does nothing where the pinned tree is there.
    The interpreter is this one: `locate` afterwards says which one the configuration wants. Raises EngineInstallFailed.
    """
    try:
        with managed.exclusively(paths, progress):
            tree = (None if source else managed.tree_of(paths, index.PINNED.sha256)) or _fetch(paths, source, progress)
            managed.furnish(paths, tree)
            record.write(paths, tree)
    except OSError as error:
        raise EngineInstallFailed(_storage_sentence(error, paths), str(error)) from error
    return engine_at(tree, Path(sys.executable), paths)


def _fetch(paths: Paths, source: str | None, progress: Progress) -> Path:
    managed.sweep(paths)
    with managed.workspace(paths) as work:
        tree = work / "ComfyUI"
        digest = git.clone(source, tree, progress) if source else _from_index(work, tree, progress)
        return _put_in_place(paths, tree, source or f"{index.PINNED.name} {index.PINNED.version}", digest)


def _from_index(work: Path, tree: Path, progress: Progress) -> str:
    archive.unpack(index.download(work, progress), index.PINNED.inside, tree, progress)
    return index.PINNED.sha256


def _put_in_place(paths: Paths, tree: Path, source: str, digest: str) -> Path:
    if missing := missing_files(tree):
        raise EngineInstallFailed(f"{source} does not hold ComfyUI (it has no {missing[0]}); give the URL of one that does.")
    if existing := managed.tree_of(paths, digest):
        return existing
    version = read_version(tree)
    now = datetime.now(UTC).isoformat()
    managed.write_marker(tree, managed.Marker(version, source, digest, now))
    os.sync()  # a tree that survives a power cut under its final name has its contents too
    return tree.replace(managed.root(paths) / f"{version}-{digest[:12]}")


def _storage_sentence(error: OSError, paths: Paths) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full; free 150 MB for {paths.data}, or move it with XDG_DATA_HOME or COMFYD_HOME."
    return f"ComfyUI cannot be installed in {paths.data} ({error.strerror or error}); set XDG_DATA_HOME or COMFYD_HOME elsewhere."
