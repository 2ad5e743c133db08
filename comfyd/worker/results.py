"""One job's view of the store, in the form that ComfyUI's ``execute`` and ``ExecutionList`` expect of a cache."""

import time
from collections.abc import Callable, Iterable, Set
from typing import Any

import nodes

from .cache import Entry, Store
from .files import fingerprint
from .keys import ContentKeys
from .sizes import Weight


class JobResults:
    """Stands in for ``comfy_execution.caching.BasicCache``; what the job has touched stays referenced until the job ends."""

    def __init__(self, store: Store, dynprompt: Any, keys: ContentKeys, usable: Callable[[Any], bool]) -> None:
        self._store = store
        self._dynprompt = dynprompt
        self._keys = keys
        self._usable = usable
        self._held: dict[str, Any] = {}
        self.started: dict[str, float] = {}
        """When each executing node began, for what its result is worth."""

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
        if key is not None:
            self._store.put(self._entry(key, node_id, value))

    async def ensure_subcache_for(self, parent_id: str, children_ids: Iterable[str]) -> "JobResults":
        """Called when a node expanded into others: gives these their keys; the store has no levels."""
        await self.prepare(children_ids)
        return self

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
            files=_model_files(node),
        )


class JobObjects:
    """Stands in for the cache of node instances: one per workflow shape, node id and class, as ComfyUI keeps them."""

    _LIMIT = 4096

    def __init__(self, instances: dict[tuple[bytes, str, str], Any], dynprompt: Any, keys: ContentKeys) -> None:
        self._instances = instances
        self._dynprompt = dynprompt
        self._keys = keys

    def _name(self, node_id: str) -> tuple[bytes, str, str]:
        return self._keys.shape(), node_id, self._dynprompt.get_node(node_id)["class_type"]

    async def get(self, node_id: str) -> Any:
        return self._instances.get(self._name(node_id))

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


def _model_files(node: dict[str, Any]) -> dict[str, tuple[str, int, int]]:
    values = (value for value in node["inputs"].values() if isinstance(value, str))
    return {value: mark for value in values if (mark := fingerprint(value))}


def is_output_node(class_type: str) -> bool:
    return getattr(nodes.NODE_CLASS_MAPPINGS[class_type], "OUTPUT_NODE", False) is True
