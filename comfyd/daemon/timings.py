"""What jobs teach about the cost of nodes: collected from their events, written to the journal once they have ended."""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from comfyd.errors import ComfydError
from comfyd.journal import Journal, Measurement
from comfyd.protocol import Done, Event, Graph, JobEnd, NodeDone, Started

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue
    from comfyd.workflow.cost import Cost

log = logging.getLogger("comfyd.daemon")

_EXACT, _NEAR = 9, 32  # measurements looked at

_decode_graph = msgspec.msgpack.Decoder(Graph).decode


class _Job(msgspec.Struct):
    """A running job: how long each of its nodes took."""

    seconds: dict[str, float] = {}
    alone: bool = True


class Timings:
    """Of one daemon; only jobs that had the engine to themselves are measured, others waited for each other's steps."""

    def __init__(self, journal: Journal) -> None:
        self.warm: set[str] = set()
        """The classes that the engine's present process has run."""
        self._journal = journal
        self._jobs: dict[int, _Job] = {}

    def new_process(self) -> None:
        """The engine was started."""
        self.warm.clear()

    def event(self, event: Event, running: Iterable[int]) -> None:
        """Before the event is acted on; ``running`` are the jobs with the engine now."""
        match event:
            case Started(job=job):
                self._jobs = {each: self._jobs.get(each) or _Job() for each in running} | {job: _Job()}
            case NodeDone(job=job) if job in self._jobs:
                self._jobs[job].seconds[event.node] = event.seconds
        if len(self._jobs) > 1:
            for shared in self._jobs.values():
                shared.alone = False

    def end(self, end: JobEnd, catalogue: "Catalogue | None", device: str) -> None:
        """Learn from a job that has ended; its clients have been told, so that nobody waits for this."""
        job = self._jobs.pop(end.job, None)
        if job is None or not job.seconds:
            return
        from comfyd.workflow.cost import costs  # not before the first job: it has time then

        try:
            encoded, _, mode = self._journal.graph(end.job)
            graph: Graph = _decode_graph(encoded)
            peak = end.peak_memory if isinstance(end, Done) else 0
            if job.alone:
                signatures = costs(graph, catalogue, device, mode)
                self._journal.measure(self._measurements(job, graph, peak, signatures))
            self.warm.update(graph[id_]["class_type"] for id_ in job.seconds if id_ in graph)
        except ComfydError as error:
            log.error("%s", error.message)
        except Exception:  # what is only learnt on the side disturbs nothing
            log.exception("job %d could not be learnt from", end.job)

    def _measurements(self, job: _Job, graph: Graph, peak: int, signatures: "Mapping[str, Cost]") -> list[Measurement]:
        from comfyd.workflow.cost import coldness

        executed = {id_: seconds for id_, seconds in job.seconds.items() if id_ in graph}
        cold = coldness(graph, executed, self._is_first)
        return [
            Measurement(cost.exact, cost.near, cost.shape, cold[id_], cost.amount, seconds, peak)
            for id_, seconds in executed.items()
            if (cost := signatures[id_])
        ]

    def _is_first(self, class_type: str) -> bool:
        return class_type not in self.warm


class Past:
    """What the journal has measured, each signature looked up once."""

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
