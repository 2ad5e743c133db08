"""The node catalogue on disk: one file for each engine, written by the worker, good before a worker is ready while it holds."""

import contextlib
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from comfyd import provenance
from comfyd.config import Config
from comfyd.inuse import InUse
from comfyd.whole import put

from .launch import Launch

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue

log = logging.getLogger("comfyd.supervisor")
_renewing = threading.Lock()


def read(file: Path) -> "Catalogue":
    """The catalogue a worker has left; raises Unavailable when it cannot be used."""
    from comfyd.workflow import Catalogue

    return Catalogue.read(file)


def read_earlier(file: Path, launch: Launch) -> "Catalogue | None":
    """The catalogue of an earlier start, if there is one and the engine and its packs are still what they were."""
    if not file.exists():
        return None
    try:
        catalogue = read(file)
        made = catalogue.made_of
    except Exception as error:  # a cache never stands in the way, whatever is wrong with it
        log.warning("the cached catalogue %s cannot be used: %s", file, error)
        return None
    if (made.engine and launch.comfyui not in made.engine) or not provenance.holds(made):
        log.info("ComfyUI or its packs have changed since the node catalogue was written; the worker makes it anew")
        return None
    return catalogue


def renew(file: Path, catalogue: "Catalogue") -> None:
    """Write what is known now, such as files that came meanwhile, for clients, who read it themselves."""
    try:
        with _renewing:
            put(file, catalogue.encode())
    except Exception as error:  # a cache never stands in the way, whatever is wrong with it
        log.warning("the node catalogue %s cannot be renewed: %s", file, error)


def note_in_use(file: Path, config: Config) -> None:
    """Tell clients which catalogue is that of the engine in use."""
    with contextlib.suppress(OSError):
        put(file.with_name(InUse.FILE), InUse.of(file, config).encode())
