"""Every spot at which a level is used: the workflow, and each subgraph once for each node that stands for it."""

from collections.abc import Iterator

import msgspec

from .definitions import Levels, hosts
from .failure import malformed
from .ui import RUNS, Level, Node

_MOST_NODES = 200_000
_DEEPEST = 64
_SKIPPED = frozenset({2, 4})


class Place(msgspec.Struct, eq=False):
    """A level at one spot; its nodes' ids in the API graph begin with the ids of the nodes around them."""

    level: Level
    prefix: str
    depth: int
    around: "Place | None" = None
    host: Node | None = None
    inside: dict[str, "Place"] = {}

    def path(self, node: Node) -> str:
        """The node's id in the API graph: ``7``, or ``12:7`` inside the subgraph of node 12."""
        return self.prefix + node.id


def expand(levels: Levels) -> list[Place]:
    """All places, outer ones first; raises ConversionFailed where subgraphs multiply beyond bounds."""
    found = [Place(levels.root, "", 0)]
    count = 0
    for place in found:
        count += len(place.level.nodes)
        if len(found) > 1 and count > _MOST_NODES:
            raise malformed(f"The workflow's subgraphs unfold into more than {_MOST_NODES:,} nodes", "use fewer of them")
        if place.depth > _DEEPEST:
            raise malformed(f"The workflow's subgraphs are nested more than {_DEEPEST} deep", "nest them less")
        for host in _unfolded(place, levels):
            inner = Place(levels.definitions[host.type], f"{place.path(host)}:", place.depth + 1, place, host)
            place.inside[host.id] = inner
            found.append(inner)
    return found


def _unfolded(place: Place, levels: Levels) -> Iterator[Node]:
    """The editor looks at the modes of the workflow's own subgraphs alone: it gives those inside the mode of theirs."""
    for host in hosts(place.level, levels.definitions):
        if place.depth > 0 or host.mode not in _SKIPPED:
            yield host


def runs(node: Node) -> bool:
    """Whether a node is part of the graph: neither muted nor bypassed."""
    return node.mode not in _SKIPPED and node.mode >= RUNS
