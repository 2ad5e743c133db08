"""A session's job to its end, also when the daemon ends before it: the job is followed again at the next one."""

from collections.abc import Callable
from typing import Any

from comfyd.client import Client
from comfyd.errors import DaemonUnavailable
from comfyd.protocol import Accepted, Submit, ToClient, Watch

from ..display import Display
from ..follow import Outcome, run_job
from ..terminal import Terminal

_RETURNS = 3


class Heard:
    """A display that remembers which job it shows, and can be opened again."""

    def __init__(self, opened: Callable[[], Display]) -> None:
        self._opened = opened
        self._display = opened()
        self.job = 0
        self.overrides: dict[str, Any] = {}
        """The values that the job took, by address."""

    @property
    def previews(self) -> bool:
        """Whether the display shows what is being made."""
        return self._display.previews

    def show(self, message: ToClient) -> None:
        if isinstance(message, Accepted):
            self.overrides = message.overrides
        self.job = getattr(message, "job", self.job)
        self._display.show(message)

    def close(self) -> None:
        self._display.close()

    def reopen(self) -> None:
        """Show again after a close."""
        self._display = self._opened()


def follow(client: Client, request: Submit | Watch, display: Heard, terminal: Terminal, *, start: bool) -> Outcome:
    """Run or watch a job; with ``start`` a daemon that ends under it is started again. Ctrl-C cancels the job."""
    told = False
    for left in reversed(range(_RETURNS)):
        try:
            return run_job(client, request, display, terminal)
        except DaemonUnavailable:
            job = display.job or getattr(request, "job", 0)
            if not (start and job and left):
                raise
        if not told:  # a daemon that is just dying may take the connection and be gone once more
            where = f"job {job}, which was with it, is followed there"
            terminal.note(f"the daemon has ended; it is started again, and {where}", dim=False)
        told = True
        client.connect(start=True)
        display.reopen()
        request = Watch(job=job)
    raise AssertionError("unreachable")
