"""What jobs teach about the cost of nodes: collected from their events, written to the journal once they have ended."""

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from comfyd.errors import ComfydError
from comfyd.journal import Journal, Measurement
from comfyd.protocol import Done, Event, Graph, JobEnd, NodeDone, NodeStarted, Started

from .threads import in_thread

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue

log = logging.getLogger("comfyd.daemon")

_EXACT, _NEAR = 9, 32  # measurements looked at
_LARGE = 256 * 2**10  # bytes of a graph from which on its lesson is drawn beside the loop
_MOST = 2000
"""Nodes of one job that are kept, the slowest: what the others take is nothing."""

_decode_graph = msgspec.msgpack.Decoder(Graph).decode


class _Job(msgspec.Struct):
    """A running job: how long each of its nodes took."""

    seconds: dict[str, float] = {}
    alone: bool = True
    inside: str = ""
    """The node that executes."""


class Lesson(NamedTuple):
    """What one job teaches."""

    measurements: list[Measurement]
    classes: set[str]
    """The classes it ran."""


class Timings:
    """Of one daemon; only jobs that had the engine to themselves are measured, others waited for each other's steps."""

    def __init__(self, journal: Journal) -> None:
        self.warm: set[str] = set()
        """The classes that the engine's present process has run."""
        self._journal = journal
        self._jobs: dict[int, _Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def new_process(self) -> None:
        """The engine was started."""
        self.warm.clear()
        self._jobs.clear()

    def event(self, event: Event, running: Iterable[int]) -> None:
        """Before the event is acted on; ``running`` are the jobs with the engine now."""
        match event:
            case Started(job=job):
                self._jobs = {each: self._jobs.get(each) or _Job() for each in running} | {job: _Job()}
            case NodeStarted(job=job) if job in self._jobs:
                self._jobs[job].inside = event.title
            case NodeDone(job=job) if job in self._jobs:
                self._jobs[job].seconds[event.node] = event.seconds
        if len(self._jobs) > 1:
            for shared in self._jobs.values():
                shared.alone = False

    def inside(self) -> list[tuple[int, str]]:
        """The running jobs, each with the title of the node it is in."""
        return [(id_, job.inside) for id_, job in self._jobs.items() if job.inside]

    def end(self, end: JobEnd, catalogue: "Catalogue | None", device: str) -> None:
        """Learn from a job that has ended; its clients have been told, so that nobody waits for this."""
        job = self._jobs.pop(end.job, None)
        if job is None or not job.seconds:
            return
        try:
            graph, _, mode = self._journal.graph(end.job)
            peak = end.peak_memory if isinstance(end, Done) else 0
            job.seconds |= end.device_seconds if isinstance(end, Done) else {}
            warm = frozenset(self.warm)

            def learn() -> Lesson:
                return lesson(graph, job.seconds, peak, catalogue, (device, mode), warm)

            if len(graph) < _LARGE:
                self._keep(learn(), job.alone)
            else:
                task = asyncio.get_running_loop().create_task(self._keep_later(learn, job.alone))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except ComfydError as error:
            log.error("%s", error.message)
        except Exception:  # what is only learnt on the side disturbs nothing
            log.exception("job %d could not be learnt from", end.job)

    async def _keep_later(self, learn: Callable[[], Lesson], alone: bool) -> None:
        try:
            self._keep(await in_thread(learn), alone)
        except ComfydError as error:
            log.error("%s", error.message)

    def _keep(self, learnt: Lesson, alone: bool) -> None:
        self.warm |= learnt.classes
        if alone:
            self._journal.measure(learnt.measurements)


def lesson(
    encoded: bytes,
    seconds: Mapping[str, float],
    peak: int,
    catalogue: "Catalogue | None",
    where: tuple[str, str],
    warm: Set[str],
) -> Lesson:
    """The measurements of a job's nodes; ``where`` are device and mode, ``warm`` the classes that had run before. Pure."""
    from comfyd.workflow.planning.cost import coldness, costs

    graph: Graph = _decode_graph(encoded)
    executed = {id_: taken for id_, taken in seconds.items() if id_ in graph}
    signatures = costs(graph, catalogue, *where)
    cold = coldness(graph, executed, lambda class_type: class_type not in warm)
    slowest = heapq.nlargest(_MOST, executed, key=lambda id_: executed[id_])
    measurements = [
        Measurement(cost.exact, cost.near, cost.shape, cold[id_], cost.amount, executed[id_], peak)
        for id_ in slowest
        if (cost := signatures[id_])
    ]
    return Lesson(measurements, {graph[id_]["class_type"] for id_ in executed})


class Past:
    """What a journal has measured, each signature looked up once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[tuple[str, str, int], list[Measurement]] = {}

    def exact(self, signature: str, cold: int) -> list[Measurement]:
        """The newest of the same cost signature."""
        return self._look("exact", signature, cold, _EXACT)

    def near(self, signature: str, cold: int) -> list[Measurement]:
        """The newest of the same near signature."""
        return self._look("near", signature, cold, _NEAR)

    def least_peak(self, shape: str) -> int | None:
        """The least memory of jobs with a node of this shape."""
        return self._journal.least_peak(shape)

    def _look(self, column: str, signature: str, cold: int, limit: int) -> list[Measurement]:
        key = (column, signature, cold)
        if key not in self._known:
            self._known[key] = self._journal.measured(*key, limit)
        return self._known[key]
