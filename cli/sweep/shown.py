"""How a sweep is shown while it runs: one line for each job that ended, NDJSON, or rows that move."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from comfyd.protocol import EngineState, ErrorInfo, ToClient

from ..live import Live
from ..terminal import Terminal
from ..text import clock, count, printable, span
from ..view import View, fold
from .points import Point
from .record import SweepJob

if TYPE_CHECKING:
    from rich.text import Text

Clock = Callable[[], float]


class Shown(Protocol):
    """Is told what happens; ``close`` leaves the terminal as it was."""

    def message(self, point: Point, message: ToClient) -> None: ...

    def ended(self, point: Point, record: SweepJob) -> None: ...

    def failed(self, point: Point, error: ErrorInfo) -> None: ...

    def close(self) -> None: ...


class Quiet:
    """The files' paths and the errors."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def message(self, point: Point, message: ToClient) -> None:
        """Nothing is shown."""

    def ended(self, point: Point, record: SweepJob) -> None:
        for file in record.files:
            self._terminal.foreign(file)

    def failed(self, point: Point, error: ErrorInfo) -> None:
        self._terminal.error(printable(f"{point.label}: {error.message}" if point.values else error.message))

    def close(self) -> None:
        """Nothing was opened."""


class Json(Quiet):
    """One object for each job that ended."""

    def ended(self, point: Point, record: SweepJob) -> None:
        self._terminal.json(record)


class Lines(Quiet):
    """One line for each job that ended, and what its start waits for."""

    def __init__(self, terminal: Terminal, now: Clock = time.monotonic) -> None:
        super().__init__(terminal)
        self._pace = Pace(now)
        self._ended = 0
        self._said = ""

    def message(self, point: Point, message: ToClient) -> None:
        self._pace.begin()
        if isinstance(message, EngineState) and message.engine.state not in ("ready", self._said):
            self._said = message.engine.state
            self._terminal.note(f"engine {self._said}", dim=False)

    def ended(self, point: Point, record: SweepJob) -> None:
        super().ended(point, record)
        self._ended += 1
        if record.resumed:
            return
        self._pace.ended += 1
        left = self._pace.left(record.of - self._ended)
        facts = [f"{self._ended} of {record.of}: {printable(point.label)}".rstrip(": "), record.state]
        facts += [span(record.seconds)] * (record.state == "done") + ([f"ETA {clock(left)}"] if left else [])
        self._terminal.note(", ".join(facts), dim=False)


class Pace:
    """How fast jobs end, without those that were done before."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._began: float | None = None
        self.ended = 0.0

    def begin(self) -> None:
        """The clock runs from the first sign of life."""
        self._began = self._now() if self._began is None else self._began

    @property
    def seconds(self) -> float:
        """Since then."""
        return 0.0 if self._began is None else self._now() - self._began

    def left(self, jobs: float) -> float | None:
        """Seconds for so many more; None before the first has ended."""
        return self.seconds / self.ended * jobs if self.ended and jobs > 0 else None


class Moving(Live):
    """The sweep's own row above those of the job that began first."""

    def __init__(self, terminal: Terminal, total: int, now: Clock = time.monotonic) -> None:
        super().__init__(terminal, now)
        self._total = total
        self._pace = Pace(now)
        self._done = self._failed = 0
        self._views: dict[int, tuple[Point, View]] = {}
        self._errors: list[str] = []

    def message(self, point: Point, message: ToClient) -> None:
        self._pace.begin()
        before = self._views.get(point.number, (point, View(self._now())))[1]
        self._views = {**self._views, point.number: (point, fold(before, message, self._now()))}
        self.show(message)

    def ended(self, point: Point, record: SweepJob) -> None:
        self._views = {number: one for number, one in self._views.items() if number != point.number}
        self._done += 1
        self._pace.ended += not record.resumed

    def failed(self, point: Point, error: ErrorInfo) -> None:
        self._failed += 1
        self._errors.append(printable(f"{point.label}: {error.message}" if point.values else error.message))

    def close(self) -> None:
        super().close()
        for sentence in self._errors:
            self._terminal.error(sentence)
        self._errors = []

    def _rows(self, width: int) -> list["Text"]:
        from rich.text import Text

        from ..layout import rows

        now, views = self._now(), self._views
        spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[int(now * 8) % 10]
        drawn = [whole(self._done, self._failed, self._total, self._left(), width)]
        if views:
            point, view = next((one for one in views.values() if one[1].running), next(iter(views.values())))
            drawn.append([("  ", ""), (printable(point.label)[: width - 2], "bold")])
            drawn += rows(view, width, now, spinner)
        return [Text.assemble(*row, no_wrap=True, overflow="crop") for row in drawn]

    def _left(self) -> float | None:
        return self._pace.left(self._total - self._done)


def whole(done: int, failed: int, total: int, left: float | None, width: int) -> list[tuple[str, str]]:
    """``sweep 3/24 ━━━━━━ 1 failed  ETA 0:42`` in a width."""
    head, facts = f"sweep {done}/{total}  ", ""
    if failed:
        facts += f"  {failed} failed"
    if left is not None:
        facts += f"  ETA {clock(left + 0.5)}"
    cells = min(width - len(head) - len(facts), 40)
    filled = round(cells * done / total) if cells >= 8 else 0
    bar = [("━" * filled, "green"), ("━" * (cells - filled), "bright_black")] if cells >= 8 else []
    return [(head, "bold"), *bar, (facts[: max(0, width - len(head))], "red" if failed else "")]


def shown_for(terminal: Terminal, total: int, *, json: bool, quiet: bool) -> Shown:
    """What fits the options and the terminal."""
    if json:
        return Json(terminal)
    if quiet:
        return Quiet(terminal)
    return Moving(terminal, total) if terminal.live else Lines(terminal)


def summed(done: int, total: int, resumed: int, failed: int, cancelled: int, seconds: float) -> str:
    """``23 of 24 pictures in 0:42 · 3 were there · 1 failed``."""
    facts = [f"{done} of {count(total, 'combination')} done in {span(seconds)}"]
    facts += [f"{resumed} before"] * bool(resumed) + [f"{failed} failed"] * bool(failed)
    return " · ".join([*facts, *[f"{cancelled} cancelled"] * bool(cancelled)])
