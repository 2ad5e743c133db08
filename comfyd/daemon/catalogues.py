"""Node catalogues on disk: the worker writes one at its start, and a copy serves until the next worker is ready."""

import contextlib
import hashlib
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from comfyd.config import Paths

from .launch import Launch

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue

log = logging.getLogger("comfyd.supervisor")


def cached_file(paths: Paths, launch: Launch) -> Path:
    """Where the catalogue of this engine in this version is kept."""
    digest = hashlib.sha256("\0".join([launch.comfyui, launch.version, launch.module]).encode()).hexdigest()
    return paths.cache / f"catalogue-{digest[:16]}.json"


def read_cached(file: Path) -> "Catalogue | None":
    """The catalogue of an earlier start, if there is one that can be read."""
    from comfyd.workflow import Catalogue

    if not file.exists():
        return None
    try:
        return Catalogue.read(file)
    except Exception as error:  # a cache never stands in the way, whatever is wrong with it
        log.warning("the cached catalogue %s cannot be used: %s", file, error)
        return None


def read_and_keep(file: Path, cached: Path) -> "Catalogue":
    """The catalogue a worker has just written, which is also copied to ``cached``."""
    from comfyd.workflow import Catalogue

    catalogue = Catalogue.read(file)
    if file != cached:
        with contextlib.suppress(OSError):
            partial = cached.with_suffix(f".{os.getpid()}.partial")
            shutil.copyfile(file, partial)
            partial.replace(cached)
    return catalogue
