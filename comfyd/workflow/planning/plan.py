"""Why each node would run: from what the worker found, beside the values of an earlier job."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from comfyd.protocol import Change, Found, Graph, PlannedNode
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.graph.wiring import Wiring, is_link
from comfyd.workflow.wording import listed, plain, printable

from .cost import parents_first

_SHORT = 40
"""Characters of a text that a reason shows."""
_RUNS = ("run", "maybe")


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The job that a plan is compared with."""

    job: int
    graph: Graph
    state: str
    """``running``, ``done``, ``failed`` or ``cancelled``."""
    executed: frozenset[str] = frozenset()
    """Nodes it executed, where it failed."""


def explain(graph: Graph, found: Mapping[str, Found], reference: Reference | None, *, engine: str = "") -> list[PlannedNode]:
    """Every node with its state and the reason, in the graph's order.

    ``engine`` says why nothing of the reference's can be there still; empty where it can.
    """
    reasons = _Reasons(graph, found, reference, engine)
    for id_ in parents_first(graph):
        reasons.add(id_)
    return [reasons.nodes[id_] for id_ in graph]


def from_scratch(graph: Graph, catalogue: Catalogue) -> dict[str, Found]:
    """What a worker that keeps nothing would find."""
    wiring = Wiring(graph, catalogue)
    run = _reached(wiring, wiring.outputs, lazily=False)
    maybe = _reached(wiring, run, lazily=True)
    return {id_: Found(state="run" if id_ in run else "maybe" if id_ in maybe else "idle") for id_ in graph}


def _reached(wiring: Wiring, starts: Iterable[str], *, lazily: bool) -> set[str]:
    found = set(starts)
    stack = list(found)
    while stack:
        id_ = stack.pop()
        specs = wiring.specs(id_)
        for name, source, _ in wiring.links(id_):
            if source not in found and (lazily or name not in specs or not specs[name].lazy):
                found.add(source)
                stack.append(source)
    return found


def likeness(graph: Graph, other: Graph) -> float:
    """The share of the nodes that both have, by id and class."""
    same = [id_ for id_, node in graph.items() if id_ in other and other[id_]["class_type"] == node["class_type"]]
    return len(same) / max(len(graph), len(other), 1)


def titles_of(graph: Graph) -> dict[str, str]:
    """The nodes' titles, else their classes."""
    found = {}
    for id_, node in graph.items():
        meta = node.get("_meta")
        title = meta.get("title") if isinstance(meta, dict) else None
        found[id_] = title if isinstance(title, str) and title else str(node["class_type"])
    return found


def labels(titles: Mapping[str, str]) -> dict[str, str]:
    """A name for each node that no other has: its title, with the id where the title recurs."""
    times = Counter(titles.values())
    return {id_: plain(title) if times[title] == 1 else f"{plain(title)} ({plain(id_)})" for id_, title in titles.items()}


class _Reasons:
    def __init__(self, graph: Graph, found: Mapping[str, Found], reference: Reference | None, engine: str) -> None:
        self.nodes: dict[str, PlannedNode] = {}
        self._graph = graph
        self._found = found
        self._reference = reference
        self._titles = titles_of(graph)
        self._labels = labels(self._titles)
        self._engine = engine
        self._roots: dict[str, tuple[str, ...]] = {}
        """The changed nodes that are the node itself or above it."""
        self._lazy: dict[str, str] = {}
        """Which node that would run decides whether a node is needed."""
        for id_ in graph:
            if found[id_].state == "run":
                for parent in _parents(graph, id_):
                    self._lazy.setdefault(parent, id_)

    def add(self, id_: str) -> None:
        """The node's reason, those of the nodes above it being known."""
        node, found = self._graph[id_], self._found[id_]
        changes = self._changes(id_)
        above = dict.fromkeys(root for parent in _parents(self._graph, id_) for root in self._roots.get(parent, ()))
        cause, reason = self._own_cause(id_, found, changes)
        self._roots[id_] = (id_,) if cause else tuple(above)
        if not cause and found.state in _RUNS:
            cause, reason = self._cause_from_elsewhere(id_, found, list(above))
        if found.state == "maybe":
            reason = f"only if {self._decider(id_)} asks for it" + (f"; {reason}" if reason else "")
        shows = found.state in _RUNS or (found.state == "cached" and cause == "changed")
        self.nodes[id_] = PlannedNode(
            node=id_,
            class_type=node["class_type"],
            title=self._titles[id_],
            state=found.state,
            cause=cause if shows else "",
            reason=reason if shows else "",
            changes=changes if shows else [],
            roots=list(above) if shows and cause == "downstream" else [],
        )

    def _own_cause(self, id_: str, found: Found, changes: Sequence[Change]) -> tuple[str, str]:
        """A cause that lies in the node itself, which those below it inherit."""
        if found.always:
            return "always", "always runs (IS_CHANGED)"
        if self._reference is None:
            return "", ""
        if self._before(id_) is None:
            return "new", "new in this workflow"
        if changes:
            return "changed", ", ".join(_told(change) for change in changes)
        if found.altered:
            return "file", f"{listed(found.files, 3)} changed" if found.files else "IS_CHANGED says something else"
        return "", ""

    def _cause_from_elsewhere(self, id_: str, found: Found, above: list[str]) -> tuple[str, str]:
        if found.missing:
            files = [printable(path.rsplit("/", 1)[-1]) for path in found.missing]
            return "missing", f"{listed(files, 2)} {'are' if len(files) > 1 else 'is'} gone"
        if above and self._reference is not None:
            return "downstream", f"downstream of {listed([self._labels[root] for root in above], 3)}"
        if self._engine:
            return "engine", self._engine
        if self._reference is None:
            return "first", "first run"
        if unfinished := self._unfinished(id_):
            return "unfinished", unfinished
        return ("downstream", f"downstream of {self._labels[above[0]]}") if above else ("dropped", "dropped from the cache")

    def _unfinished(self, id_: str) -> str:
        assert self._reference is not None
        job = self._reference.job
        match self._reference.state:
            case "running":
                return f"job {job} has not got to it yet"
            case "failed" if id_ not in self._reference.executed:
                return f"job {job} failed before it"
            case "cancelled":
                return f"job {job} was cancelled"
        return ""

    def _changes(self, id_: str) -> list[Change]:
        before = self._before(id_)
        if before is None:
            return []
        old, new = before["inputs"], self._graph[id_]["inputs"]
        names = [*new, *(name for name in old if name not in new)]
        return [
            Change(input=name, old=old.get(name), new=new.get(name))
            for name in names
            if not _same(old.get(name), new.get(name)) or (name in old) != (name in new)
        ]

    def _before(self, id_: str) -> Mapping[str, Any] | None:
        """The same node in the job compared with."""
        before = self._reference.graph.get(id_) if self._reference is not None else None
        return before if before is not None and before["class_type"] == self._graph[id_]["class_type"] else None

    def _decider(self, id_: str) -> str:
        """The nearest node below that would run."""
        seen: set[str] = set()
        while id_ not in self._lazy and id_ in self._below and id_ not in seen:
            seen.add(id_)
            id_ = self._below[id_]
        return self._labels[self._lazy[id_]] if id_ in self._lazy else "a node"

    @cached_property
    def _below(self) -> dict[str, str]:
        """One of the nodes that each node may be needed by."""
        maybe = [id_ for id_ in self._graph if self._found[id_].state == "maybe"]
        return {parent: child for child in maybe for parent in _parents(self._graph, child)}


def _parents(graph: Graph, id_: str) -> list[str]:
    return [value[0] for value in graph[id_]["inputs"].values() if is_link(value) and value[0] in graph]


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)


def _told(change: Change) -> str:
    """``seed 41 -> 42``."""
    name = plain(change.input)
    if is_link(change.new):
        was = f" instead of {_value(change.old)}" if change.old is not None and not is_link(change.old) else ""
        old = f" instead of {plain(change.old[0])}" if is_link(change.old) else was
        return f"{name} from {plain(change.new[0])}{old}"
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str):
        old, new = _around_the_difference(old, new)
    return f"{name} {_value(old)} -> {_value(new)}"


def _value(value: Any) -> str:
    if value is None:
        return "unset"
    if is_link(value):
        return f"a link from {plain(value[0])}"
    if isinstance(value, str):
        return f'"{printable(value if len(value) <= _SHORT else value[: _SHORT - 1] + "…")}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(repr(value)) if isinstance(value, int | float) else "a list" if isinstance(value, list) else "an object"


def _around_the_difference(old: str, new: str) -> tuple[str, str]:
    """Long texts without what they begin with in common."""
    if max(len(old), len(new)) <= _SHORT:
        return old, new
    common = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, common - _SHORT // 4)
    return (f"…{old[start:]}", f"…{new[start:]}") if start else (old, new)
