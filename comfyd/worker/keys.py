"""Content keys of nodes: equal keys mean equal results, whatever the node ids or the workflow; linear in the graph."""

import contextlib
import functools
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import nodes
from comfy_execution.graph_utils import is_link

from .embeddings import embeddings
from .files import Mark, fingerprints

_REMEMBERED = 4096
_SCALARS = frozenset({str, int, bool, bytes, type(None)})
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_LAST: dict[bytes, "Outside"] = {}
"""What nodes depended on beside their inputs when a job last had them, by class and constants; the longest unused go first."""


class Outside(NamedTuple):
    """What a node's result depends on beside its inputs."""

    changed: bytes
    """Hash of what its IS_CHANGED or fingerprint_inputs said."""
    marks: dict[str, list[Mark]]
    """The model files and embeddings that its inputs name, by name."""


class ContentKeys:
    """Keys of one job's nodes, by node id.

    A key is the hash of the class and its module, ``IS_CHANGED`` / ``fingerprint_inputs``, the constant inputs (with the identity
    of the model files and embeddings that they name), and the parents' keys with their output slots. Nodes that are told their
    own id, or that declare themselves not idempotent, are also keyed by their id and their workflow's shape, so that they repeat
    as ComfyUI lets them.
    """

    def __init__(self, dynprompt: Any, is_changed: Callable[[str], Awaitable[object]], remembers: bool = True) -> None:
        self._dynprompt = dynprompt
        self._is_changed = is_changed
        self._remembers = remembers
        self._keys: dict[str, bytes] = {}
        self._unique: set[str] = set()
        self._altered: dict[str, list[str]] = {}
        self._shape: bytes | None = None
        self.mode = ""
        """Empty for exact results; results of another mode share no key with them, nor do the models that make them."""

    def get(self, node_id: str) -> bytes | None:
        return self._keys.get(node_id)

    def known(self) -> Mapping[str, bytes]:
        return self._keys

    def never_repeats(self, node_id: str) -> bool:
        """Whether what its IS_CHANGED says can equal nothing, not even itself."""
        return node_id in self._unique

    def altered(self, node_id: str) -> list[str] | None:
        """The names of files that are others than when a job last had this node with these constants; None: nothing is.

        Empty where its IS_CHANGED says something else and none of its inputs looks like a file.
        """
        return self._altered.get(node_id)

    async def add(self, node_ids: Iterable[str]) -> None:
        """Computes the keys of these nodes and of all their ancestors, parents first."""
        stack = list(node_ids)
        opened: set[str] = set()
        while stack:
            node_id = stack[-1]
            missing = [parent for parent in self._parents(node_id) if parent not in self._keys]
            if node_id in self._keys:
                stack.pop()
            elif missing and node_id not in opened:
                opened.add(node_id)
                stack.extend(missing)
            else:
                self._keys[stack.pop()] = await self._key(node_id)

    def _parents(self, node_id: str) -> list[str]:
        if not self._dynprompt.has_node(node_id):
            return []
        return [value[0] for value in self._dynprompt.get_node(node_id)["inputs"].values() if is_link(value)]

    async def _key(self, node_id: str) -> bytes:
        if not self._dynprompt.has_node(node_id):
            return os.urandom(16)
        node = self._dynprompt.get_node(node_id)
        class_def = nodes.NODE_CLASS_MAPPINGS[node["class_type"]]
        digest = hashlib.blake2b(digest_size=16, person=self.mode.encode())
        changed = await self._is_changed(node_id)
        parts: list[Any] = [node["class_type"], getattr(class_def, "RELATIVE_PYTHON_MODULE", "nodes"), changed]
        parts.append([node_id, self.shape()] if _keyed_by_id(class_def) else [])
        marks: dict[str, list[Mark]] = {}
        for name in sorted(node["inputs"]):
            parts.append(self._input(name, node["inputs"][name], marks))
        _update(digest, parts)
        if changed is not False or marks:
            self._compare(node_id, node, changed, marks)
        return digest.digest()

    def _input(self, name: str, value: Any, marks: dict[str, list[Mark]]) -> list[Any]:
        """What of an input the key is made of; notes the marks of the files that it names."""
        if is_link(value):
            # A parent inside a cycle has no key; the engine reports the cycle, the key only must not match anything.
            return [name, "link", self._keys.get(value[0]) or os.urandom(16), value[1]]
        if isinstance(value, str) and (named := embeddings(value)):
            marks |= named
            return [name, value, named]
        found = fingerprints(value) if isinstance(value, str) else None
        if found:
            marks[value] = found
        return [name, value, found]

    def _compare(self, node_id: str, node: dict[str, Any], changed: object, marks: dict[str, list[Mark]]) -> None:
        """Sees what is another than last time; a job's keys are what the next time is compared with."""
        if not _repeats(changed):
            self._unique.add(node_id)
            return
        constants = {name: value for name, value in node["inputs"].items() if not is_link(value)}
        name, now = _digest([node["class_type"], constants]), Outside(_digest(changed), marks)
        before = _LAST.get(name, now)
        if before != now:
            files = [file for file, mark in marks.items() if before.marks.get(file) != mark]
            self._altered[node_id] = files or [value for value in constants.values() if _looks_like_file(value)]
        if self._remembers:
            _LAST.pop(name, None)
            _LAST[name] = now
            if len(_LAST) > _REMEMBERED:
                del _LAST[next(iter(_LAST))]

    def shape(self) -> bytes:
        """Hash of the workflow's nodes and links without its values."""
        if self._shape is None:
            digest = hashlib.blake2b(digest_size=16)
            for node_id, node in self._dynprompt.get_original_prompt().items():
                links = sorted((name, value) for name, value in node["inputs"].items() if is_link(value))
                _update(digest, [node_id, node["class_type"], links])
            self._shape = digest.digest()
        return self._shape


@functools.cache
def _keyed_by_id(class_def: Any) -> bool:
    """Asked once for each class, as ComfyUI does (caching.py: ``include_unique_id_in_input``): loaders list files to answer."""
    inputs = class_def.INPUT_TYPES()
    hidden = inputs.get("hidden") or {}
    return bool(getattr(class_def, "NOT_IDEMPOTENT", False)) or "UNIQUE_ID" in hidden.values() or _takes_links(inputs)


def _takes_links(inputs: dict[str, Any]) -> bool:
    """Whether the node is given a link itself (``rawLink``), and with it another node's id, instead of the value."""
    options = (spec[1] for kind in ("required", "optional") for spec in (inputs.get(kind) or {}).values() if len(spec) > 1)
    return any(isinstance(option, dict) and option.get("rawLink") for option in options)


def _repeats(value: Any) -> bool:
    """Whether a value's form in the hash is the same each time; see ``_update``."""
    match value:
        case float():
            return value == value
        case None | bool() | int() | str() | bytes():
            return True
        case dict():
            return all(map(_repeats, value.values()))
        case list() | tuple():
            return all(map(_repeats, value))
    return False


def _looks_like_file(value: object) -> bool:
    return isinstance(value, str) and len(value) < 1024 and "\n" not in value and 1 < len(Path(value).suffix) < 8


def _digest(value: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    _update(digest, value)
    return digest.digest()


def _update(digest: Any, value: Any) -> None:
    """Feeds a value to the hash, each type with a mark of its own; what has no stable form never matches anything."""
    if _is_plain(value):
        with contextlib.suppress(OverflowError, UnicodeError):  # whole numbers beyond 64 bits, halves of characters
            digest.update(b"m" + _encode(value))
            return
    _update_by_type(digest, value)


def _is_plain(value: Any) -> bool:
    """Whether msgpack gives the value a form of its own, as it does to nearly all that a graph holds."""
    kind = type(value)
    if kind is list or kind is tuple:
        return all(type(item) in _SCALARS or _is_plain(item) for item in value)
    if kind is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    return kind in _SCALARS or (kind is float and value == value)


def _update_by_type(digest: Any, value: Any) -> None:
    match value:
        case float() if value != value:
            digest.update(b"u" + os.urandom(16))
        case None | bool() | int() | float():
            digest.update(f"{type(value).__name__}:{value!r};".encode())
        case str():
            raw = value.encode("utf-8", "surrogatepass")
            digest.update(b"s%d:" % len(raw) + raw)
        case bytes():
            digest.update(b"b%d:" % len(value) + value)
        case dict():
            digest.update(b"d%d:" % len(value))
            for key in sorted(value, key=repr):
                _update_by_type(digest, [key, value[key]])
        case list() | tuple():
            digest.update(b"l%d:" % len(value))
            for item in value:
                _update_by_type(digest, item)
        case _:
            digest.update(b"u" + os.urandom(16))
