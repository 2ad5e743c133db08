"""How long the nodes that would run are likely to take, and how much memory: from what was measured of equal and of like ones."""

import statistics
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from comfyd.protocol import Graph, PlannedNode

from .cost import FIRST, LOADS, WARM, Cost, coldness

_OTHERWISE = {WARM: (LOADS, FIRST), LOADS: (FIRST, WARM), FIRST: (LOADS, WARM)}
"""Where nothing was measured of one coldness: which to take instead, the likest first."""


class Measured(Protocol):
    """One execution of a node: its amount of work, and the seconds it took."""

    @property
    def amount(self) -> float: ...
    @property
    def seconds(self) -> float: ...


class Timings(Protocol):
    """Executions of the past, newest first."""

    def exact(self, signature: str, cold: int) -> Sequence[Measured]:
        """Those of the same cost signature."""

    def near(self, signature: str, cold: int) -> Sequence[Measured]:
        """Those of the same near signature."""

    def least_peak(self, shape: str) -> int | None:
        """The least memory that a job with a node of this shape was seen to need, in bytes."""


def timed(
    nodes: Iterable[PlannedNode], graph: Graph, signatures: Mapping[str, Cost], timings: Timings, warm: Container[str]
) -> list[PlannedNode]:
    """The nodes, those that would run with their seconds; ``warm`` are the classes the engine's process has run before."""
    known = list(nodes)
    run = [node.node for node in known if node.state == "run"]
    cold = coldness(graph, run, lambda class_type: class_type not in warm)
    found = {id_: _seconds(signatures[id_], cold[id_], timings) for id_ in run}
    return [
        msgspec.structs.replace(node, seconds=found[node.node][0], basis=found[node.node][1]) if node.node in found else node
        for node in known
    ]


def total(nodes: Iterable[PlannedNode]) -> tuple[float | None, int]:
    """Seconds of all that would run and are timed, None where nothing that would run is, and how many are not."""
    run = [node.seconds for node in nodes if node.state == "run"]
    known = [seconds for seconds in run if seconds is not None]
    return (sum(known) if known or not run else None), len(run) - len(known)


def peak(nodes: Iterable[PlannedNode], signatures: Mapping[str, Cost], timings: Timings) -> int | None:
    """The memory the most demanding node that would run was seen to need: of each node the least of its jobs' peaks."""
    shapes = {signatures[node.node].shape for node in nodes if node.state == "run"}
    return max((least for shape in shapes if (least := timings.least_peak(shape))), default=None)


def _seconds(cost: Cost, cold: int, timings: Timings) -> tuple[float | None, str]:
    levels = (cold, *_OTHERWISE[cold])
    for level in levels:
        if same := timings.exact(cost.exact, level):
            return statistics.median(measured.seconds for measured in same), "measured" if level == cold else "scaled"
    for level in levels:
        if near := timings.near(cost.near, level):
            return _scaled(cost.amount, near), "scaled"
    return None, ""


def _scaled(amount: float, near: Sequence[Measured]) -> float:
    """The seconds for another amount of the same work: on the line through what was measured, or in proportion to the nearest."""
    groups: dict[float, list[float]] = {}
    for measured in near:
        groups.setdefault(measured.amount, []).append(measured.seconds)
    points = [(each, statistics.median(seconds)) for each, seconds in groups.items()]
    if len(points) > 1:
        slope, start = statistics.linear_regression(*zip(*points, strict=True))
        if slope >= 0 and start + slope * amount > 0:
            return start + slope * amount
    x, seconds = min(points, key=lambda point: abs(point[0] - amount))
    return seconds * amount / x if x > 0 else seconds
