"""What people are told of graphs: a line for each model that has some, and one for each call that has to run eagerly."""

from collections import defaultdict
from collections.abc import Iterator

from comfyd.protocol import Resident

from .calls import Graphs
from .ledger import Entry, Step


def lines(graphs: Graphs, names: dict[int, str], device: str) -> list[Resident]:
    """``names`` gives the file of an owner's model; an owner without one is named by its class."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    refused: dict[tuple[str, str], float] = {}
    for key, entry in graphs.ledger:
        name = names.get(key.owner, key.label)
        if entry.graph:
            found[name, key.label].append(entry)
        elif entry.step is Step.EAGER:
            at = name, f"{key.label} runs eagerly: {entry.reason}"
            refused[at] = max(entry.used_at, refused.get(at, 0.0))
    for (owner, label), (reason, used_at) in graphs.reasons.items():
        refused[names.get(owner, label), f"{label} runs eagerly: {reason}"] = used_at
    return [*_held(found, device), *_refused(refused, device)]


def _held(found: dict[tuple[str, str], list[Entry]], device: str) -> Iterator[Resident]:
    for (name, label), entries in found.items():
        size = sum(entry.graph.size for entry in entries if entry.graph)
        note = f"{label}, {len(entries)} captured, {sum(entry.replays for entry in entries)} replays"
        last_used = max(entry.used_at for entry in entries)
        yield Resident(name=name, kind="graph", size=size, device=device, last_used=last_used, note=note)


def _refused(refused: dict[tuple[str, str], float], device: str) -> Iterator[Resident]:
    for (name, note), used_at in refused.items():
        yield Resident(name=name, kind="graph", size=0, device=device, last_used=used_at, note=note)
