"""The worker's store of node results by content key, within byte budgets; pure, so that it is tested without an engine."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Budget:
    """Bytes that may be kept: node results in RAM and in VRAM, and models; and how many results, because texts weigh nothing."""

    ram: int
    vram: int
    models: int
    count: int = 10_000


@dataclass(eq=False)
class Entry:
    """One node's result and what keeping it is worth."""

    key: bytes
    value: Any
    """ComfyUI's CacheEntry (ui, outputs)."""
    class_type: str
    seconds: float
    """What it cost to make."""
    ram: int = 0
    vram: int = 0
    models: dict[int, int] = field(default_factory=dict)
    """Bytes of the models it holds, by the model's identity: clones of one model count once."""
    patchers: list[tuple[str, Any]] = field(default_factory=list)
    files: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Model files its own inputs name: name -> (path, size, mtime)."""
    last_used: float = 0.0
    used_at: float = 0.0
    """Wall clock of the last use, for people."""

    count: int = 1

    def size(self) -> int:
        return self.ram + self.vram + sum(self.models.values())


class Store:
    """Results of all workflows; the least valuable go first (cost to make, by size and age)."""

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self._clock = clock
        self._entries: dict[bytes, Entry] = {}
        self._used = _Used()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Entry | None:
        """The entry of that key, marked as used now."""
        if entry := self._entries.get(key):
            self._touch(entry)
        return entry

    def peek(self, key: bytes) -> Entry | None:
        """The entry of that key, which only looking at does not make more valuable."""
        return self._entries.get(key)

    def put(self, entry: Entry) -> list[Entry]:
        """Keeps an entry; returns those that a changed file of the same name makes stale, which are let go."""
        stale = [old for old in self._entries.values() if _superseded(old, entry)] if entry.files else []
        for old in stale:
            self.drop(old.key)
        self.drop(entry.key)
        self._entries[entry.key] = entry
        self._used.add(entry)
        self._touch(entry)
        return stale

    def drop(self, key: bytes) -> Entry | None:
        if entry := self._entries.pop(key, None):
            self._used.remove(entry)
        return entry

    def weigh(self, entry: Entry, ram: int, vram: int) -> None:
        """Its result has moved."""
        self._used.remove(entry)
        entry.ram, entry.vram = ram, vram
        self._used.add(entry)

    def exceeds(self, kind: str) -> bool:
        """Whether more is kept of one kind than its budget."""
        return bool(self.used(kind) > getattr(self._budget, kind))

    def evict(self, keep: Collection[bytes] = ()) -> list[Entry]:
        """Lets go of the least valuable entries, other than those in ``keep``, until every budget holds."""
        budgets = vars(self._budget)
        return [entry for kind, limit in budgets.items() for entry in self._shrink(kind, limit, keep)]

    def _shrink(self, kind: str, limit: int, keep: Collection[bytes]) -> Iterator[Entry]:
        if self.used(kind) <= limit:
            return
        for victim in sorted((e for e in self if getattr(e, kind) and e.key not in keep), key=self._value):
            self.drop(victim.key)
            yield victim
            if self.used(kind) <= limit:
                return

    def used(self, kind: str) -> int:
        """What is kept of one kind: bytes of results (``ram``, ``vram``) and of ``models``, each once; their ``count``."""
        return self._used.models if kind == "models" else self._used.plain[kind]

    def _value(self, entry: Entry) -> float:
        age = max(self._clock() - entry.last_used, 1e-3)
        return entry.seconds / (max(entry.size(), 1) * age)

    def _touch(self, entry: Entry) -> None:
        entry.last_used = self._clock()
        entry.used_at = time.time()


class _Used:
    """Running totals, so that a store of thousands of results is not added up after every job."""

    def __init__(self) -> None:
        self.plain = {"ram": 0, "vram": 0, "count": 0}
        self.models = 0
        self._holders: Counter[int] = Counter()

    def add(self, entry: Entry) -> None:
        for kind in self.plain:
            self.plain[kind] += getattr(entry, kind)
        self.models += sum(size for model, size in entry.models.items() if not self._holders[model])
        self._holders.update(entry.models.keys())

    def remove(self, entry: Entry) -> None:
        for kind in self.plain:
            self.plain[kind] -= getattr(entry, kind)
        self._holders.subtract(entry.models.keys())
        self.models -= sum(size for model, size in entry.models.items() if not self._holders[model])
        self._holders = +self._holders


def _superseded(old: Entry, new: Entry) -> bool:
    """Whether ``old`` was made from an earlier state of a file that ``new`` names."""
    both = [(old.files[name], mark) for name, mark in new.files.items() if name in old.files]
    return any(before[0] == now[0] and before != now for before, now in both)
