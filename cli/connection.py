"""A client of the daemon for the length of a command; says so when it has to start one."""

from collections.abc import Iterator
from contextlib import contextmanager

from comfyd.client import Client
from comfyd.errors import DaemonUnavailable

from .terminal import Terminal

ANSWER_LIMIT = 10.0
"""Seconds within which the daemon answers whatever needs no engine."""


@contextmanager
def connected(terminal: Terminal, *, start: bool, quiet: bool = False) -> Iterator[Client]:
    """A connected client; without ``start`` a daemon that does not answer is DaemonUnavailable."""
    with Client(terminal.config, terminal.paths) as client:
        try:
            client.connect(start=False)
            if terminal.comfyui is not None:
                from .chosen import require

                require(client, terminal.comfyui)
        except DaemonUnavailable:
            if not start:
                raise
            if not quiet:
                terminal.note("starting the daemon")
            client.connect(start=True)
        yield client
