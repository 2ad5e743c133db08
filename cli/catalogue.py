"""The node catalogue of the engine in use; the engine is asked to be ready only where there is none."""

from comfyd.errors import Unavailable
from comfyd.inuse import catalogue_in_use
from comfyd.protocol import WaitReady
from comfyd.workflow import Catalogue

from .terminal import Terminal


def catalogue(terminal: Terminal, *, start: bool) -> Catalogue:
    """Read it, after the engine's first start where need be; raises Unavailable."""
    found = catalogue_in_use(terminal.paths.cache, terminal.config)
    if found is None:
        _wait_for_engine(terminal, start=start)
        found = catalogue_in_use(terminal.paths.cache)
    if found is None:
        raise Unavailable(f"The engine has left no node catalogue in {terminal.paths.cache}; comfyd restart writes it anew.")
    return Catalogue.read(found)


def _wait_for_engine(terminal: Terminal, *, start: bool) -> None:
    from .connection import answered, connected
    from .display import display_for

    display = display_for(terminal)
    with connected(terminal, start=start) as client:
        answered(client, WaitReady(), display)
