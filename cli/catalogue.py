"""The newest node catalogue the worker has written; the engine is asked to be ready only where there is none."""

from pathlib import Path

from comfyd.errors import Unavailable
from comfyd.protocol import WaitReady
from comfyd.workflow import Catalogue

from .terminal import Terminal


def catalogue(terminal: Terminal, *, start: bool) -> Catalogue:
    """Read it, after the engine's first start where need be; raises Unavailable."""
    newest = newest_file(terminal.paths.cache)
    if newest is None:
        _wait_for_engine(terminal, start=start)
        newest = newest_file(terminal.paths.cache)
    if newest is None:
        raise Unavailable(f"The engine has left no node catalogue in {terminal.paths.cache}; comfyd restart writes it anew.")
    return Catalogue.read(newest)


def newest_file(cache: Path) -> Path | None:
    """The catalogue written last, or None."""
    return max(cache.glob("catalogue-*.json"), key=lambda file: file.stat().st_mtime, default=None)


def _wait_for_engine(terminal: Terminal, *, start: bool) -> None:
    from .connection import connected
    from .display import display_for

    display = display_for(terminal)
    with connected(terminal, start=start) as client:
        try:
            for message in client.stream(WaitReady()):
                display.show(message)
        finally:
            display.close()
