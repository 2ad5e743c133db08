"""The display for pipes and files: plain lines."""

import time
from collections.abc import Callable

from comfyd.protocol import EngineState, NodeStarted, Progress, Queued, Started, ToClient

from .terminal import Terminal
from .text import count, printable, rate, size
from .view import View, fold

Clock = Callable[[], float]
_EVERY = 5.0


class Lines:
    """One line for a node, one every few seconds of stepping; no control characters."""

    previews = False

    def __init__(self, terminal: Terminal, now: Clock = time.monotonic) -> None:
        self._terminal, self._now = terminal, now
        self._view = View(now())
        self._said, self._last = now(), ""

    def show(self, message: ToClient) -> None:
        self._view = fold(self._view, message, self._now())
        line = self._line(message)
        if line and line != self._last:
            self._terminal.note(line, dim=False)
            self._said, self._last = self._now(), line

    def close(self) -> None:
        """Nothing was opened."""

    def _line(self, message: ToClient) -> str:
        view = self._view
        match message:
            case EngineState(engine=engine) if engine.state != "ready":
                return self._engine_line(engine.state, engine.message)
            case Queued(job=job, position=position):
                return f"job {job} waits, position {position} in the queue"
            case Started(job=job, nodes_total=total, cached=cached, attempt=attempt):
                again = f", attempt {attempt}" if attempt > 1 else ""
                return f"job {job}{again}: {len(cached)} of {count(total, 'node')} cached"
            case NodeStarted():
                return f"node {min(view.nodes_done + 1, view.nodes_total)} of {view.nodes_total}: {self._name()}"
            case Progress(doing=doing) if doing:
                return f"  {self._name()}: {printable(doing)}"
            case Progress(value=value, max=last) if self._now() - self._said >= _EVERY or value == last:
                return self._steps(message)
        return ""

    def _engine_line(self, state: str, message: str) -> str:
        """An installation counts bytes many times a second: only what is new in words is said at once."""
        line = f"engine {state}" + (f": {printable(message)}" if message else "")
        same = line.split(":")[0] == self._last.split(":")[0]
        return "" if same and self._now() - self._said < _EVERY else line

    def _steps(self, message: Progress) -> str:
        node = self._view.running
        parts = [f"{self._name()}: step {message.value}/{message.max}"]
        if node is not None and node.rate is not None:
            parts.append(rate(node.rate))
        if message.memory is not None:
            parts.append(f"{size(message.memory.used)} of {size(message.memory.total)}")
        return "  " + ", ".join(parts)

    def _name(self) -> str:
        return printable(self._view.running.name) if self._view.running else ""
