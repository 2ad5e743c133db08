"""The node catalogue of the engine in use; the engine is asked to be ready only where there is none."""

from pathlib import Path

from comfyd.config import Config
from comfyd.errors import Unavailable
from comfyd.inuse import InUse
from comfyd.protocol import WaitReady
from comfyd.workflow import Catalogue

from .terminal import Terminal


def catalogue(terminal: Terminal, *, start: bool) -> Catalogue:
    """Read it, after the engine's first start where need be; raises Unavailable."""
    newest = newest_file(terminal.paths.cache, terminal.config)
    if newest is None:
        _wait_for_engine(terminal, start=start)
        newest = newest_file(terminal.paths.cache)
    if newest is None:
        raise Unavailable(f"The engine has left no node catalogue in {terminal.paths.cache}; comfyd restart writes it anew.")
    return Catalogue.read(newest)


def newest_file(cache: Path, config: Config | None = None) -> Path | None:
    """The catalogue of the engine last in use, or None; with ``config`` only where its settings lead to that engine."""
    noted = InUse.read(cache)
    if noted is None:
        return max(cache.glob("catalogue-*.json"), key=lambda file: file.stat().st_mtime, default=None)
    file = cache / noted.catalogue
    return file if (config is None or noted.suits(config)) and file.exists() else None


def _wait_for_engine(terminal: Terminal, *, start: bool) -> None:
    from .connection import answered, connected
    from .display import display_for

    display = display_for(terminal)
    with connected(terminal, start=start) as client:
        answered(client, WaitReady(), display)
