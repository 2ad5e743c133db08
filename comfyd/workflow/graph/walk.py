"""The order in which a graph's nodes follow from each other, without recursion."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from comfyd.errors import WorkflowInvalid
from comfyd.workflow.wording import plain

if TYPE_CHECKING:
    from .wiring import Wiring

_LONGEST_PATH = 12


def ancestors_first(wiring: "Wiring") -> list[str]:
    """Every node an output needs, after the nodes it needs itself; raises WorkflowInvalid naming the path of a cycle."""
    done: dict[str, None] = {}
    for output in wiring.outputs:
        if output not in done:
            _visit(wiring, output, done)
    return list(done)


def _visit(wiring: "Wiring", start: str, done: dict[str, None]) -> None:
    path, pending = [start], [_sources(wiring, start)]
    on_path = {start}
    while path:
        source = next(pending[-1], None)
        if source is None:
            pending.pop()
            on_path.remove(path[-1])
            done[path.pop()] = None
        elif source in on_path:
            raise WorkflowInvalid(_cycle(path, source))
        elif source not in done:
            path.append(source)
            on_path.add(source)
            pending.append(_sources(wiring, source))


def _sources(wiring: "Wiring", id_: str) -> Iterator[str]:
    return (source for _, source, _ in wiring.links(id_))


def _cycle(path: list[str], again: str) -> str:
    ids = [*path[path.index(again) :], again]
    if len(ids) > _LONGEST_PATH:
        ids = [*ids[: _LONGEST_PATH // 2], "…", *ids[-_LONGEST_PATH // 2 :]]
    return f"The nodes {' <- '.join(plain(id_) for id_ in ids)} need each other in a cycle; remove one of these links."
