"""Which calls have been seen, have a graph or are refused one, and which graphs go when there are too many; pure."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from .key import Key


class Graph(Protocol):
    """A captured call."""

    size: int
    """Bytes of device memory that keeping it takes."""

    def replay(self, tensors: list[Any]) -> Any:
        """Runs it on these inputs; what it returns is the caller's own."""

    def close(self) -> None:
        """Frees it."""


class Step(Enum):
    """What to do with a call."""

    EAGER = auto()
    CAPTURE = auto()
    """It comes the second time: run it, and capture it."""
    TRIAL = auto()
    """Replay it, run it, and compare."""
    REPLAY = auto()


@dataclass(eq=False)
class Entry:
    """What is known of one key."""

    step: Step = Step.CAPTURE
    """What its next call is for."""
    graph: Graph | None = None
    reason: str = ""
    """Why it has no graph."""
    until: float = math.inf
    """When it may be tried again."""
    run: Any = None
    """The sampling run in which it was first seen."""
    replays: int = 0
    used_at: float = 0.0


class Ledger:
    """Entries by key, the least recently used first; a graph is closed when its entry goes.

    Graphs share one pool of memory, which shrinks only when all of them are gone: more bytes than ``limit`` drop all,
    more graphs than ``count`` those longest unused.
    """

    _REMEMBERED = 1000  # keys without a graph

    def __init__(self, limit: int, count: int = 64, clock: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._count = count
        self._clock = clock
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._epochs: dict[int, int] = {}
        self._pool = 0
        self._too_many: set[Key] = set()

    def __iter__(self) -> Iterator[tuple[Key, Entry]]:
        return iter(list(self._entries.items()))

    @property
    def graphs(self) -> int:
        return sum(entry.graph is not None for entry in self._entries.values())

    @property
    def size(self) -> int:
        """Bytes of the pool, those of graphs that have gone included."""
        return self._pool if self.graphs else 0

    @property
    def roomy(self) -> bool:
        """Whether there is room for graphs that may never be used."""
        return self.size <= self._limit // 2 and self.graphs < self._count

    def peek(self, key: Key) -> Entry | None:
        """The entry of this key, which only looking at does not mark as used."""
        return self._entries.get(key)

    def look_up(self, key: Key, run: Any = None) -> Entry | None:
        """The entry of this key, marked as used; None the first time. Entries of the owner's earlier weights go."""
        if self._epochs.setdefault(key.owner, key.epoch) != key.epoch:
            self.forget(key.owner)
            self._epochs[key.owner] = key.epoch
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = Entry(run=run, used_at=self._clock())
            self._shrink()
            return None
        if entry.step is Step.EAGER and entry.until <= self._clock():
            entry = self._entries[key] = Entry()
        self._entries.move_to_end(key)
        entry.used_at = self._clock()
        return entry

    def captured(self, key: Key, graph: Graph) -> None:
        """The key has a graph, which has to prove itself; where it leaves too little for others, it or they go."""
        self._pool = self.size + graph.size
        if self._pool > self._limit:
            graph.close()
            self._overflowed(key)
            return
        self._entries[key] = Entry(Step.TRIAL, graph, used_at=self._clock())
        self._entries.move_to_end(key)
        self._shrink()

    def _overflowed(self, key: Key) -> None:
        """Gives the key another chance in the empty pool, and only one, lest two graphs drive each other out for ever."""
        if not self.graphs or key in self._too_many:
            self.refuse(key, f"graphs would take more than {self._limit >> 20} MiB")
        else:
            self.clear()
            self._too_many.add(key)
            self._entries[key] = Entry(used_at=self._clock())

    def proved(self, key: Key) -> None:
        """The first replay gave eager's bits."""
        entry = self._entries.get(key)
        if entry and entry.graph:
            entry.step = Step.REPLAY

    def refuse(self, key: Key, reason: str, until: float = math.inf) -> None:
        """The key runs eagerly as long as its weights stay where they are, and at most until then."""
        self._close(self._entries.get(key))
        self._entries[key] = Entry(Step.EAGER, reason=reason, until=until, used_at=self._clock())

    def pardon(self) -> None:
        """Those that were refused for a time only may be tried again."""
        for entry in self._entries.values():
            entry.until = entry.until if entry.until == math.inf else 0.0

    def now(self) -> float:
        """The time by its clock."""
        return self._clock()

    def forget(self, owner: int) -> None:
        """Drops everything known of an owner."""
        for key in [key for key in self._entries if key.owner == owner or owner in key.others]:
            self._close(self._entries.pop(key))
        self._epochs.pop(owner, None)
        self._too_many = {key for key in self._too_many if key.owner != owner}

    def clear(self) -> None:
        """Drops every graph, and keeps what is refused."""
        for key, entry in self:
            if entry.graph:
                self._close(self._entries.pop(key))

    def _shrink(self) -> None:
        for having, most in ((True, self._count), (False, self._REMEMBERED)):
            keys = [key for key, entry in self._entries.items() if (entry.graph is not None) is having]
            for key in keys[: max(0, len(keys) - most)]:
                self._close(self._entries.pop(key))

    def _close(self, entry: Entry | None) -> None:
        if entry and entry.graph:
            entry.graph.close()
            entry.graph = None
