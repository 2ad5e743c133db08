"""Keeps the picture of the daemon for the toolbar, in a thread with a connection of its own; never starts one but the first."""

import time
from collections.abc import Callable
from threading import Event, Thread

from msgspec.structs import replace

from comfyd.client import Client, Stream, listens
from comfyd.errors import ComfydError, DaemonUnavailable
from comfyd.protocol import PsReply, PsRequest, StatusReply, StatusRequest, Watch

from ..connection import ANSWER_LIMIT
from ..terminal import Terminal
from ..view import View, fold
from .toolbar import Picture

_PERIOD = 1.0
_STEP = 0.25  # seconds for which a job's events are waited for


class Watcher:
    """Looks while a prompt is shown. ``changed`` is called when the picture is another, ``say`` with what must be told."""

    def __init__(self, terminal: Terminal, *, start: bool, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        self.picture = Picture()
        self._terminal, self._start = terminal, start
        self._changed, self._say = changed, say
        self._shown, self._over, self._wake = Event(), Event(), Event()
        self._pid = 0
        self._thread = Thread(target=self._run, name="toolbar", daemon=True)

    def show(self) -> None:
        """A prompt is shown from now on."""
        self._shown.set()
        if self._thread.ident is None:
            self._thread.start()

    def rest(self) -> None:
        """None is shown: a command runs, which tells itself what happens to the daemon."""
        self._shown.clear()
        self._pid = 0
        self._wake.set()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        self._shown.set()
        self._wake.set()

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        while not self._over.is_set():
            self._shown.wait()
            try:
                with Client(self._terminal.config, self._terminal.paths) as client:
                    if self._start and not listens(self._terminal.paths):
                        self._put(Picture(away="the daemon is started"))
                    client.connect(start=self._start)
                    self._start = False
                    client.connect(start=False)
                    self._look(client)
            except ComfydError as error:
                self._start = False
                self._lost(error)
            self._pause(_PERIOD)

    def _look(self, client: Client) -> None:
        watched: Stream | None = None
        job = 0
        while not self._over.is_set():
            if not self._shown.is_set():
                return
            status = client.call(StatusRequest(), ANSWER_LIMIT)
            residents = client.call(PsRequest(), ANSWER_LIMIT)
            assert isinstance(status, StatusReply)
            assert isinstance(residents, PsReply)
            self._tell_restart(status)
            if job not in status.running:
                watched, job = None, (status.running[0] if status.running else 0)
                if job:
                    watched = client.stream(Watch(job=job), _STEP)
            view = self.picture.job if watched is not None and self.picture.job and self.picture.job.job == job else None
            self._put(Picture(status=status, residents=residents.residents, job=view or (View(0.0, job) if job else None)))
            if watched is None or not self._follow(watched):
                self._pause(_PERIOD)

    def _follow(self, watched: Stream) -> bool:
        """Read a job's events for a while; False when there is nothing more to read."""
        end = time.monotonic() + _PERIOD
        while time.monotonic() < end and self._shown.is_set():
            try:
                message = next(watched)
            except DaemonUnavailable:
                if not listens(self._terminal.paths):
                    raise
                continue
            except (StopIteration, ComfydError):
                return False
            view = fold(self.picture.job or View(0.0), message, time.monotonic())
            self._put(replace(self.picture, job=view))
        return True

    def _tell_restart(self, status: StatusReply) -> None:
        if self._pid not in (0, status.pid):
            self._say(f"the daemon runs again (pid {status.pid})")
        self._pid = status.pid

    def _lost(self, error: ComfydError) -> None:
        """Said once for somebody who looks at the prompt; the toolbar goes on saying it."""
        if self._pid > 0 and self._shown.is_set() and not self._over.is_set():
            self._say("the daemon has ended; the next run starts it again")
            self._pid = -1
        gone = isinstance(error, DaemonUnavailable) and not listens(self._terminal.paths)
        self._put(Picture(away="no daemon; the next run starts it" if gone else error.message))

    def _put(self, picture: Picture) -> None:
        if picture != self.picture:
            self.picture = picture
            self._changed()

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()
