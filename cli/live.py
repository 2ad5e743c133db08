"""The moving display: a thread that draws the rows of layout.py on stderr through rich, at most ten times a second."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING

from comfyd.protocol import ToClient

from .terminal import Terminal
from .view import View, fold

if TYPE_CHECKING:
    from rich.console import Group

_PERIOD = 0.12
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Live:
    """Drawing begins one period after the first message, so that what is done by then neither flickers nor pays for rich."""

    def __init__(self, terminal: Terminal, now: Callable[[], float] = time.monotonic) -> None:
        self._terminal, self._now = terminal, now
        self._view = View(now())
        self._closed = Event()
        self._thread: Thread | None = None

    def show(self, message: ToClient) -> None:
        self._view = fold(self._view, message, self._now())
        if self._thread is None and not message.FINAL:
            self._thread = Thread(target=self._draw, name="display", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _draw(self) -> None:
        if self._closed.wait(_PERIOD):
            return
        from rich.live import Live as RichLive

        from .keyboard import unechoed

        console = self._terminal.console(self._terminal.stderr)
        drawn = RichLive(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
        with unechoed(self._terminal.stdin), drawn:
            drawn.update(self._picture(console.width), refresh=True)
            while not self._closed.wait(_PERIOD):
                drawn.update(self._picture(console.width), refresh=True)

    def _picture(self, width: int) -> "Group":
        from rich.console import Group
        from rich.text import Text

        from .layout import rows

        now = self._now()
        spinner = _FRAMES[int(now / _PERIOD) % len(_FRAMES)]
        return Group(*(Text.assemble(*row, no_wrap=True, overflow="crop") for row in rows(self._view, width, now, spinner)))
