"""A client of the daemon for the length of a command; says so when it has to start one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from comfyd.client import Client
from comfyd.errors import DaemonUnavailable
from comfyd.protocol import Request, ToClient, ends

from .terminal import Terminal

if TYPE_CHECKING:
    from .display import Display

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


def answered(client: Client, request: Request, display: "Display") -> ToClient:
    """The request's final message; those before it are shown, and the display is closed then."""
    try:
        for message in client.stream(request):
            if not ends(request, message):
                display.show(message)
    finally:
        display.close()
    return message
