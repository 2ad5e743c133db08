"""What is known of a job while it runs: events folded into one picture. Pure; the clock's reading comes as an argument."""

from msgspec import Struct
from msgspec.structs import replace

from comfyd.protocol import (
    Accepted,
    EngineInfo,
    EngineState,
    Memory,
    NodeDone,
    NodeStarted,
    Progress,
    Queued,
    Started,
    ToClient,
)


class Running(Struct, frozen=True):
    """The node that executes, and its steps where it reports any."""

    node: str
    class_type: str
    title: str
    since: float
    value: int = 0
    max: int = 0
    first: tuple[float, int] = (0.0, 0)
    """When its first step was reported, and which: what came before it was loading, not stepping."""
    latest: float = 0.0
    doing: str = ""

    @property
    def rate(self) -> float | None:
        """Steps per second since the first report; None before the second."""
        seconds, steps = self.latest - self.first[0], self.value - self.first[1]
        return steps / seconds if steps > 0 and seconds > 0 else None

    def left(self, now: float) -> float | None:
        """Seconds until the last step, at the rate so far."""
        if self.rate is None:
            return None
        return max(0.0, (self.max - self.value) / self.rate - (now - self.latest))

    @property
    def name(self) -> str:
        """The title, with the class where it says something else."""
        if not self.title or self.title == self.class_type:
            return self.class_type or f"node {self.node}"
        return f"{self.title} ({self.class_type})" if self.class_type else self.title


class View(Struct, frozen=True):
    """One job as seen so far."""

    began: float
    job: int = 0
    position: int | None = None
    engine: EngineInfo | None = None
    """Set while the engine is not ready."""
    started: bool = False
    attempt: int = 1
    nodes_total: int = 0
    nodes_done: int = 0
    cached: frozenset[str] = frozenset()
    running: Running | None = None
    memory: Memory | None = None


def fold(view: View, message: ToClient, now: float) -> View:
    """The picture after one more message."""
    match message:
        case EngineState(engine=engine):
            return replace(view, engine=None if engine.state == "ready" else engine)
        case Accepted(job=job, position=position) | Queued(job=job, position=position):
            return replace(view, job=job, position=position or None, started=False, running=None)
        case Started():
            return _start(view, message)
        case NodeStarted(node=node, class_type=class_type, title=title):
            running = Running(node, class_type, title, now)
            return replace(view, started=True, running=running, memory=message.memory or view.memory)
        case Progress():
            return replace(view, running=_step(view.running, message, now), memory=message.memory or view.memory)
        case NodeDone(node=node):
            still = view.running if view.running and view.running.node != node else None
            return replace(view, nodes_done=view.nodes_done + (node not in view.cached), running=still)
    return view


def _start(view: View, message: Started) -> View:
    cached = frozenset(message.cached)
    return replace(
        view,
        job=message.job,
        position=None,
        engine=None,
        started=True,
        attempt=message.attempt,
        nodes_total=message.nodes_total,
        nodes_done=len(cached),
        cached=cached,
        running=None,
    )


def _step(running: Running | None, message: Progress, now: float) -> Running:
    if running is None or running.node != message.node:
        running = Running(message.node, "", "", now)
    again = message.max != running.max or message.value < running.value
    first = (now, message.value) if again or not running.first[0] else running.first
    if message.doing:  # says nothing of the steps, which begin anew after it
        return replace(running, doing=message.doing, first=(0.0, 0))
    return replace(running, value=message.value, max=message.max, first=first, latest=now, doing="")
