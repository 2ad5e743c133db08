"""One job's view of the store, in the form that ComfyUI's ``execute`` and ``ExecutionList`` expect of a cache."""

import time
from collections.abc import Callable, Iterable, Iterator, Set
from pathlib import Path
from typing import Any

import nodes
from comfy_execution.graph_utils import ExecutionBlocker, is_link

from .cache import Entry, Store
from .fast import wiring as fast
from .files import fingerprints, model_files
from .keys import ContentKeys
from .outputs import files_of_result
from .sizes import Weight


class JobResults:
    """Stands in for ``comfy_execution.caching.BasicCache``; what the job has touched stays referenced until the job ends."""

    def __init__(self, store: Store, dynprompt: Any, keys: ContentKeys, usable: Callable[[Any], bool]) -> None:
        self._store = store
        self._dynprompt = dynprompt
        self._keys = keys
        self._usable = usable
        self._held: dict[str, Any] = {}
        self._passing: set[str] = set()
        self.blocked = False
        """Whether a node was blocked with a message, which the next run of the same graph has to hear as well."""
        self.started: dict[str, float] = {}
        """When each executing node began, for what its result is worth."""
        self._shown: list[tuple[Entry, float]] = []
        """What nodes of this job have made that shows something, and when that was kept."""

    async def prepare(self, node_ids: Iterable[str]) -> list[str]:
        """Computes keys and takes hold of what the store has; returns the ids of the nodes found."""
        ids = list(node_ids)
        await self._keys.add(ids)
        return [node_id for node_id in ids if self.get_local(node_id) is not None]

    def get_local(self, node_id: str) -> Any:
        if node_id not in self._held:
            value = self._find(node_id)
            if value is None:
                return None
            self._held[node_id] = value
        return self._held[node_id]

    def set_local(self, node_id: str, value: Any) -> None:
        self._held[node_id] = value

    async def get(self, node_id: str) -> Any:
        return self.get_local(node_id)

    async def set(self, node_id: str, value: Any) -> None:
        self._held[node_id] = value
        key = self._keys.get(node_id)
        if key is None or self._transient(node_id):
            return
        entry = self._entry(key, node_id, value)
        self._store.put(entry)
        if value.ui:
            self._shown.append((entry, entry.last_used))

    def refused(self) -> bool:
        """Whether the store has a model for this job that cannot be run in fast mode."""
        return refused(self._store, self._keys)

    def withdraw(self) -> list[Path]:
        """Lets go of what nodes of this job show and no other job has found; returns the files."""
        alone = [entry for entry, kept in self._shown if entry.last_used == kept]
        for entry in alone:
            self._store.drop(entry.key)
        return [file for entry in alone for file in files_of_result(entry.value)]

    def _transient(self, node_id: str) -> bool:
        return node_id in self._passing or (self.blocked and self._has_blocked_input(node_id))

    def _has_blocked_input(self, node_id: str) -> bool:
        links = filter(is_link, self._dynprompt.get_node(node_id)["inputs"].values())
        return any(_blocks(held.outputs) for parent, _ in links if (held := self._held.get(parent)))

    async def ensure_subcache_for(self, parent_id: str, children_ids: Iterable[str]) -> "JobResults":
        """Called when a node expanded into others: gives these their keys; the store has no levels.

        A node that expands into output nodes is expanded again by the next run, which is how that run comes to their files.
        """
        children = list(children_ids)
        if any(_is_output_node(self._dynprompt.get_node(child)["class_type"]) for child in children):
            self._passing |= {parent_id, *self._ancestors(parent_id)}
        await self.prepare(children)
        return self

    def _ancestors(self, node_id: str) -> Iterator[str]:
        """The nodes whose expansions led to this one."""
        while parent := self._dynprompt.get_parent_node_id(node_id):
            yield parent
            node_id = parent

    def clean_unused(self) -> None:
        """The store's budget decides what goes, not the end of a prompt."""

    def all_node_ids(self) -> Set[str]:
        return set(self._keys.known())

    def keys_held(self) -> Set[bytes]:
        """Keys of everything this job has its hands on."""
        return {key for node_id in self._held if (key := self._keys.get(node_id))}

    def _find(self, node_id: str) -> Any:
        key = self._keys.get(node_id)
        entry = self._store.get(key) if key is not None else None
        if entry is None:
            return None
        if not self._usable(entry.value):
            self._store.drop(entry.key)
            return None
        return entry.value

    def _entry(self, key: bytes, node_id: str, value: Any) -> Entry:
        node = self._dynprompt.get_node(node_id)
        weight = Weight(value.outputs)
        return Entry(
            key=key,
            value=value,
            class_type=node["class_type"],
            seconds=time.perf_counter() - self.started.get(node_id, time.perf_counter()),
            ram=weight.ram,
            vram=weight.vram,
            models={id(patcher.model): patcher.model_size() for _, patcher in weight.patchers},
            patchers=weight.patchers,
            files=model_files(node),
        )


class JobObjects:
    """Stands in for the cache of node instances: one per workflow shape, node id and class, as ComfyUI keeps them.

    An instance may keep what it has read (LoraLoader does): a changed file gets a new one, and those longest unused go first.
    """

    _LIMIT = 256

    def __init__(self, instances: dict[tuple[object, ...], Any], dynprompt: Any, keys: ContentKeys) -> None:
        self._instances = instances
        self._dynprompt = dynprompt
        self._keys = keys

    def _name(self, node_id: str) -> tuple[object, ...]:
        node = self._dynprompt.get_node(node_id)
        texts = (value for value in node["inputs"].values() if isinstance(value, str))
        return self._keys.shape(), node_id, node["class_type"], *(mark for value in texts for mark in fingerprints(value))

    async def get(self, node_id: str) -> Any:
        name = self._name(node_id)
        if name in self._instances:
            self._instances[name] = self._instances.pop(name)
        return self._instances.get(name)

    async def set(self, node_id: str, value: Any) -> None:
        while len(self._instances) >= self._LIMIT:
            self._instances.pop(next(iter(self._instances)))
        self._instances[self._name(node_id)] = value

    async def ensure_subcache_for(self, parent_id: str, children_ids: Iterable[str]) -> "JobObjects":
        return self

    def clean_unused(self) -> None:
        """Instances stay; their number is bounded."""


class JobCaches:
    """What ``execution.execute`` takes as its CacheSet."""

    def __init__(self, outputs: JobResults, objects: JobObjects) -> None:
        self.outputs = outputs
        self.objects = objects
        self.all = [outputs, objects]


def refused(store: Store, keys: ContentKeys) -> bool:
    """Whether a model that is kept for these keys cannot be run in fast mode."""
    kept = (store.peek(key) for key in keys.known().values())
    return any(fast.is_refused(patcher.model) for entry in kept if entry is not None for _, patcher in entry.patchers)


def _blocks(outputs: list[list[Any]]) -> bool:
    return any(isinstance(value, ExecutionBlocker) for values in outputs for value in values)


def _is_output_node(class_type: str) -> bool:
    return getattr(nodes.NODE_CLASS_MAPPINGS[class_type], "OUTPUT_NODE", False) is True
