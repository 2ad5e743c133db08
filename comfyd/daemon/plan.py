"""A plan: the graph bound as for a job, the worker asked what it has, and all of it explained and estimated.

Nothing waits for the engine to start: before it is ready nothing is kept, and that is what the plan says. It answers between two
steps of what runs, and beside a node that takes long where no node pack's code is asked; else the plan says that it could not.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from comfyd.errors import EngineFailed, from_info
from comfyd.jobs import Jobs
from comfyd.journal import Begun, Journal
from comfyd.protocol import (
    Done,
    Failed,
    Found,
    Graph,
    Planned,
    PlannedMemory,
    PlannedNode,
    PlanOrder,
    PlanReply,
    PlanRequest,
)
from comfyd.workflow.wording import plain

from .submit import bound
from .supervisor import Supervisor
from .threads import in_thread
from .timings import Past, Timings

if TYPE_CHECKING:
    from comfyd.workflow import Bound
    from comfyd.workflow.planning.cost import Cost
    from comfyd.workflow.planning.plan import Reference

_PATIENCE = 3.0  # seconds for the worker to come to a step's end
_NEWEST = 8  # jobs looked at where none of this workflow is known
_ALIKE = 0.5
_LARGE = 500  # nodes from which on the answer is made beside the loop

_decode_graph = msgspec.msgpack.Decoder(Graph).decode


class _Situation(NamedTuple):
    """What one plan is made from."""

    found: Mapping[str, Found]
    reference: "Reference | None"
    engine: str
    """Why nothing that the reference left is there any longer; empty: there is no reason."""
    signatures: "Mapping[str, Cost]"


class Planner:
    """Makes plans from what the daemon's parts know."""

    def __init__(self, engine: Supervisor, jobs: Jobs, journal: Journal, timings: Timings) -> None:
        self.ready_at = 0.0
        """When the engine's process became ready: what jobs had left before is gone."""
        self._engine = engine
        self._jobs = jobs
        self._journal = journal
        self._timings = timings

    async def plan(self, request: PlanRequest) -> PlanReply:
        """The answer to the request; raises what a Submit of the same would be refused with."""
        ready = await bound(request, self._engine, self._journal)
        found, note = await self._ask(ready.graph, request.mode)
        if len(ready.graph) < _LARGE:
            return self._reply(request, ready, found, note, self._journal)
        return await in_thread(lambda: self._reply_beside(request, ready, found, note))

    async def _ask(self, graph: Graph, mode: str) -> tuple[Mapping[str, Found] | None, str]:
        """What the worker has of each node, and what is to be said where it cannot be asked; None: it keeps nothing."""
        if self._engine.info.state == "ready":
            question = self._engine.ask(lambda number: PlanOrder(request=number, graph=graph, mode=mode))
            try:
                answer = await asyncio.wait_for(question, _PATIENCE)
            except TimeoutError:
                return dict.fromkeys(graph, Found(state="unknown")), _busy(self._timings.inside())
            except EngineFailed:
                pass  # it has just died
            else:
                assert isinstance(answer, Planned)
                if answer.error is not None:
                    raise from_info(answer.error)
                return answer.nodes, ""
        return None, f"The engine is {self._engine.info.state}: nothing is kept, and its start comes on top."

    # ------------------------------------------------------------ the answer

    def _reply_beside(self, request: PlanRequest, ready: "Bound", found: Mapping[str, Found] | None, note: str) -> PlanReply:
        """In a thread, which needs a connection of its own."""
        journal = Journal(self._journal.file, self._journal.history)
        try:
            return self._reply(request, ready, found, note, journal)
        finally:
            journal.close()

    def _reply(
        self, request: PlanRequest, ready: "Bound", found: Mapping[str, Found] | None, note: str, journal: Journal
    ) -> PlanReply:
        from comfyd.workflow.planning.estimate import timed, total
        from comfyd.workflow.planning.plan import explain

        situation = self._situation(request, ready, found, journal)
        nodes = explain(ready.graph, situation.found, situation.reference, engine=situation.engine)
        past = Past(journal)
        nodes = timed(nodes, ready.graph, situation.signatures, past, frozenset(self._timings.warm))
        seconds, untimed = total(nodes)
        return PlanReply(
            workflow=request.workflow,
            engine=self._engine.info.state,
            overrides=ready.overrides,
            nodes=nodes,
            against=situation.reference.job if situation.reference else 0,
            seconds=seconds,
            untimed=untimed,
            memory=self._memory(nodes, situation, past),
            ahead=len(self._jobs.running) + len(self._jobs.queue),
            note=note,
        )

    def _situation(self, request: PlanRequest, ready: "Bound", found: Mapping[str, Found] | None, journal: Journal) -> _Situation:
        from comfyd.workflow.planning.cost import costs
        from comfyd.workflow.planning.plan import from_scratch

        catalogue = self._engine.catalogue
        assert catalogue is not None
        begun, reference = _reference(journal, request.workflow, ready.graph)
        engine = ""
        if self._engine.info.state != "ready":
            engine = f"the engine is {self._engine.info.state}"
        elif begun is not None and begun.finished is not None and begun.finished < self.ready_at:
            engine = "the engine was started since"
        end = begun.end if begun is not None else None
        device = self._engine.info.device or (end.device if isinstance(end, Done) else "")
        signatures = costs(ready.graph, catalogue, device, request.mode)
        known = from_scratch(ready.graph, catalogue) if found is None else found
        return _Situation(known, reference, engine, signatures)

    def _memory(self, nodes: list[PlannedNode], situation: _Situation, past: Past) -> PlannedMemory:
        from comfyd.workflow.planning.estimate import peak

        resident = {resident.name for resident in self._engine.residents}
        files = {
            name: size
            for node in nodes
            if node.state == "run"
            for name, size in situation.found[node.node].loads.items()
            if name not in resident or situation.found[node.node].altered
        }
        now = self._engine.info.memory
        return PlannedMemory(
            used=now.used if now else None,
            total=now.total if now else None,
            loads=sum(files.values()),
            peak=peak(nodes, situation.signatures, past),
        )


def _busy(inside: list[tuple[int, str]]) -> str:
    """What keeps the engine from answering."""
    jobs = " and ".join(f"job {job} is inside {plain(title)}" for job, title in inside) or "the engine is inside a node"
    return f"{jobs[0].upper()}{jobs[1:]}, and it answers between steps only; plan again later to see what is kept."


def _reference(journal: Journal, workflow: str, graph: Graph) -> "tuple[Begun | None, Reference | None]":
    """The last job of this workflow that has begun, else of the newest ones that which is most like this graph."""
    from comfyd.workflow.planning.plan import likeness

    last = journal.begun(workflow, 1) if workflow else []
    for begun in (last, journal.begun(None, _NEWEST)):
        graphs = [_decode_graph(job.graph) for job in begun]
        alike = [likeness(graph, other) for other in graphs]
        if begun and max(alike) >= _ALIKE:
            best = alike.index(max(alike))
            return begun[best], _as_reference(begun[best], graphs[best])
    return None, None


def _as_reference(begun: Begun, graph: Graph) -> "Reference":
    from comfyd.workflow.planning.plan import Reference

    executed = frozenset(begun.end.executed) if isinstance(begun.end, Failed) else frozenset[str]()
    return Reference(job=begun.id, graph=graph, state=begun.state, executed=executed)
