"""The moving display: a thread that draws the rows of layout.py on stderr through rich, at most ten times a second."""

import os
import signal
import time
from collections.abc import Callable
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING, Any

from comfyd.protocol import Preview, ToClient

from .terminal import Terminal
from .view import View, fold

if TYPE_CHECKING:
    from rich.text import Text

    from .preview.moving import Moving

_PERIOD = 0.12
_PATIENCE = 1.0
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Live:
    """Drawing begins one period after the first message, so that what is done by then neither flickers nor pays for rich."""

    def __init__(self, terminal: Terminal, now: Callable[[], float] = time.monotonic, *, previews: bool = False) -> None:
        self._terminal, self._now = terminal, now
        self.previews = previews
        self._moving: Moving | None = None
        self._view = View(now())
        self._closed, self._suspending, self._withdrawn = Event(), Event(), Event()
        self._thread: Thread | None = None
        self._before: Any = signal.SIG_DFL

    def show(self, message: ToClient) -> None:
        self._view = fold(self._view, message, self._now())
        if isinstance(message, Preview) and self.previews:
            self._look(message)
        if self._thread is None and not message.FINAL:
            self._before = signal.getsignal(signal.SIGTSTP)
            if self._before is not signal.SIG_IGN:
                signal.signal(signal.SIGTSTP, self._suspend)
            self._thread = Thread(target=self._draw, name="display", daemon=True)
            self._thread.start()

    def _look(self, preview: Preview) -> None:
        if self._moving is None:
            from .preview.moving import Moving

            self._moving = Moving(self._terminal)
        self._moving.latest = preview

    def close(self) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
            signal.signal(signal.SIGTSTP, self._before)

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: give the terminal back as it was, and draw again once continued."""
        self._suspending.set()
        self._withdrawn.wait(_PATIENCE)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._suspending.clear()

    def _draw(self) -> None:
        self._withdrawn.set()
        while not self._closed.wait(_PERIOD):
            if self._may_draw():
                self._withdrawn.clear()
                self._animate()
                self._withdrawn.set()

    def _may_draw(self) -> bool:
        from .keyboard import in_foreground

        return not self._suspending.is_set() and in_foreground(self._terminal.stderr)

    def _animate(self) -> None:
        from .keyboard import unechoed
        from .picture import Picture

        console = self._terminal.console(self._terminal.stderr)
        with unechoed(self._terminal.stdin), Picture(console) as picture:
            while self._may_draw():
                picture.draw(self._rows(console.width), self._moving.drawn() if self._moving else None)
                if self._closed.wait(_PERIOD):
                    return

    def _rows(self, width: int) -> list["Text"]:
        from rich.text import Text

        from .layout import rows

        now = self._now()
        spinner = _FRAMES[int(now / _PERIOD) % len(_FRAMES)]
        return [Text.assemble(*row, no_wrap=True, overflow="crop") for row in rows(self._view, width, now, spinner)]
