"""What drives the time a node takes: its cost signature, and how much work it is beside others of its kind.

Two nodes of the same exact signature do the same work: same class, numbers, choices and model files, the same above them; seeds,
texts, file names and prefixes count for nothing. Two of the same near signature share class, models and sampler and differ in
the amount: steps times pixels times batch.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.classes.nodeclass import COMBO, Input
from comfyd.workflow.graph.wiring import is_link
from comfyd.workflow.values.constants import MODEL_FILES

WARM, LOADS, FIRST = 0, 1, 2
"""How cold a node runs: nothing above it is loaded in the same job; something is; its process never ran its class before."""

_CHOICES = frozenset({"sampler_name", "scheduler"})
_FACTORS = ("batch_size", "length", "frames", "amount")
_SCALES = ("scale_by", "upscale_by", "upscale_factor")


class Cost(msgspec.Struct, frozen=True):
    """One node's cost signature."""

    exact: str
    near: str
    shape: str
    """Class, models and size: what drives the memory."""
    amount: float
    """Steps times pixels times batch, as far as the graph tells; comparable among equal ``near``."""


class _Above(msgspec.Struct):
    """What a node hands on to those below it."""

    exact: bytes
    models: frozenset[str]
    size: float = 1.0
    steps: float = 1.0


def costs(graph: Graph, catalogue: Catalogue | None, device: str, mode: str = "") -> dict[str, Cost]:
    """The signatures of all nodes; linear in the graph. ``device`` and ``mode`` are part of them."""
    found: dict[str, Cost] = {}
    above: dict[str, _Above] = {}
    for id_ in parents_first(graph):
        node = graph[id_]
        own = _constants(node, _specs(node, catalogue))
        parents = {name: above[value[0]] for name, value in _links(node) if value[0] in above}
        here = above[id_] = _here(node, own, parents)
        steps = _steps(own, parents)
        choices = sorted((name, value) for name, value in own.items() if isinstance(value, str) and not _is_model(value))
        near = (device, mode, node["class_type"], sorted(here.models), choices, own.get("cfg") == 1)
        exact = hashlib.blake2b(repr((device, mode)).encode() + here.exact, digest_size=12)
        shape = (device, mode, node["class_type"], sorted(here.models), here.size)
        found[id_] = Cost(exact.hexdigest(), _hash(near).hex(), _hash(shape).hex(), here.size * steps)
    return found


def coldness(graph: Graph, run: Iterable[str], first: Callable[[str], bool]) -> dict[str, int]:
    """How cold each of the nodes that run does; ``first`` says it of a class that its process has not run yet."""
    running = set(run)
    loading: set[str] = set()
    found: dict[str, int] = {}
    for id_ in parents_first(graph):
        node = graph[id_]
        loads = id_ in running and any(_is_model(value) for value in node["inputs"].values())
        if loads or any(value[0] in loading for _, value in _links(node)):
            loading.add(id_)
        if id_ in running:
            found[id_] = FIRST if first(node["class_type"]) else LOADS if id_ in loading else WARM
    return found


def parents_first(graph: Graph) -> list[str]:
    """All nodes, each after those it is linked to; where there is a cycle, in some order."""
    done: dict[str, None] = {}
    opened: set[str] = set()
    for start in graph:
        stack = [start]
        while stack:
            id_ = stack[-1]
            missing = [] if id_ in opened else [value[0] for _, value in _links(graph[id_]) if value[0] not in opened]
            opened.add(id_)
            missing = [parent for parent in missing if parent in graph]
            if missing:
                stack.extend(missing)
            else:
                done.setdefault(stack.pop())
    return list(done)


def _links(node: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    return ((name, value) for name, value in node["inputs"].items() if is_link(value))


def _specs(node: Mapping[str, Any], catalogue: Catalogue | None) -> Mapping[str, Input]:
    class_ = catalogue.node(node["class_type"]) if catalogue is not None else None
    return class_.inputs_for(node["inputs"]) if class_ is not None else {}


def _constants(node: Mapping[str, Any], specs: Mapping[str, Input]) -> dict[str, Any]:
    """The constants that drive the cost."""
    return {name: value for name, value in node["inputs"].items() if _drives(name, value, specs.get(name))}


def _drives(name: str, value: Any, spec: Input | None) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return "seed" not in name.lower()
    if not isinstance(value, str):
        return False
    return _is_model(value) or (_is_choice(spec) if spec is not None else name in _CHOICES)


def _is_choice(spec: Input) -> bool:
    return spec.kind == COMBO and not spec.uploads


def _is_model(value: Any) -> bool:
    return isinstance(value, str) and value.lower().endswith(MODEL_FILES)


def _here(node: Mapping[str, Any], own: Mapping[str, Any], parents: Mapping[str, _Above]) -> _Above:
    links = [(name, parents[name].exact, value[1]) for name, value in _links(node) if name in parents]
    # A LoRA changes what is drawn and hardly how long that takes.
    models = {value for name, value in own.items() if _is_model(value) and not name.startswith("lora")}
    return _Above(
        exact=_hash((node["class_type"], sorted(own.items()), sorted(links))),
        models=frozenset(models).union(*(parent.models for parent in parents.values())),
        size=_size(own, parents),
        steps=_steps(own, parents),
    )


def _size(own: Mapping[str, Any], parents: Mapping[str, _Above]) -> float:
    """Pixels of what the node makes, times how many of them, as far as numbers tell."""
    size = max((parent.size for parent in parents.values()), default=1.0)
    if _positive(own, "width") and _positive(own, "height"):
        size = float(own["width"] * own["height"])
    elif megapixels := _positive(own, "megapixels"):
        size = megapixels * 1e6
    for name in _SCALES:
        size *= (_positive(own, name) or 1.0) ** 2
    for name in _FACTORS:
        size *= _positive(own, name) or 1.0
    return size


def _steps(own: Mapping[str, Any], parents: Mapping[str, _Above]) -> float:
    """The steps a sampler takes: its own, those of its part of a run, or those of the sigmas it is given."""
    steps = _positive(own, "steps")
    if steps is None:
        return parents["sigmas"].steps if "sigmas" in parents else 1.0
    last, first = _positive(own, "end_at_step"), _positive(own, "start_at_step") or 0.0
    return max(1.0, min(steps, last or steps) - first)


def _positive(own: Mapping[str, Any], name: str) -> float | None:
    value = own.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _hash(value: Any) -> bytes:
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=12).digest()
