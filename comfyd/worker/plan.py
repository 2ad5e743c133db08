"""What a job of a graph would find: which nodes have results now, without executing any of them."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import execution
import nodes
from comfy_api.internal import _ComfyNodeInternal, first_real_override
from comfy_execution.graph import DynamicPrompt, ExecutionList
from comfy_execution.graph_utils import is_link

from comfyd import errors
from comfyd.modes import EXACT
from comfyd.protocol import Described, Found, Graph, Planned, PlanOrder

from .cache import Store
from .fast.available import granted
from .files import model_files
from .keys import ContentKeys
from .outputs import files_of, still_there
from .plain import text
from .results import refused
from .validation import Emit, outputs_of

_PATIENCE = 0.5  # seconds for the engine to come to a step's end


class Plans:
    """Answers each order once: the engine's loop between two steps, or a thread beside a node that takes long.

    The thread answers only where all code asked is ComfyUI's own, which neither draws random numbers nor changes anything.
    """

    def __init__(self, store: Store, emit: Callable[[Planned | Described], object]) -> None:
        self._store = store
        self._emit = emit
        self._open: dict[int, PlanOrder] = {}
        self._lock = threading.Lock()

    def post(self, order: PlanOrder) -> None:
        """Takes an order that the engine's loop is told of as well."""
        with self._lock:
            self._open[order.request] = order
        timer = threading.Timer(_PATIENCE, self._answer_beside, (order,))
        timer.daemon = True
        timer.start()

    def answer(self, order: PlanOrder) -> None:
        """Answers unless that was done."""
        with self._lock:
            mine = self._open.get(order.request) is order
            if mine:
                del self._open[order.request]
        if mine:
            self._emit(plan(order, self._store, self._emit))

    def _answer_beside(self, order: PlanOrder) -> None:
        if self._open.get(order.request) is order and _asks_no_pack(order.graph):
            self.answer(order)


def _asks_no_pack(graph: Graph) -> bool:
    """Whether all code of nodes that a plan of the graph runs is ComfyUI's own, and imported."""
    classes = {node["class_type"] for node in graph.values()}
    waits = getattr(nodes.NODE_CLASS_MAPPINGS, "waits", lambda class_type: False)
    return not any(waits(class_type) or _has_code_of_a_pack(nodes.NODE_CLASS_MAPPINGS.get(class_type)) for class_type in classes)


def _has_code_of_a_pack(class_def: Any) -> bool:
    if not str(getattr(class_def, "RELATIVE_PYTHON_MODULE", "nodes")).startswith("custom_nodes"):
        return False
    if isinstance(class_def, type) and issubclass(class_def, _ComfyNodeInternal):
        return any(first_real_override(class_def, name) is not None for name in ("fingerprint_inputs", "validate_inputs"))
    return hasattr(class_def, "IS_CHANGED") or hasattr(class_def, "VALIDATE_INPUTS")


def plan(order: PlanOrder, store: Store, emit: Emit) -> Planned:
    """Answers between two steps of the running jobs, in a loop of its own; what a job would be refused for is the answer's error.

    Of the nodes' own code only what any job asks before its first node runs: VALIDATE_INPUTS and IS_CHANGED.
    """
    try:
        return Planned(request=order.request, nodes=asyncio.run(_found(order, store, emit)))
    except errors.ComfydError as error:
        return Planned(request=order.request, error=error.info())
    except Exception as error:  # nodes of packs are asked here, which may raise anything
        reason = errors.WorkflowInvalid(f"The engine cannot say what would run ({type(error).__name__}: {text(str(error))}).")
        return Planned(request=order.request, error=reason.info())


async def _found(order: PlanOrder, store: Store, emit: Emit) -> dict[str, Found]:
    graph = order.graph
    outputs = await outputs_of(0, graph, emit)
    dynprompt = DynamicPrompt(graph)
    keys = await _keys(order, dynprompt, granted(order.mode))
    if keys.mode and refused(store, keys):
        keys = await _keys(order, dynprompt, EXACT)
    kept = _Kept(store, keys)
    run = _would_run(dynprompt, kept, outputs)
    maybe = _might_run(dynprompt, kept, run)
    return {node_id: _node(graph[node_id], node_id, _state(node_id, kept, run, maybe), kept, keys) for node_id in graph}


async def _keys(order: PlanOrder, dynprompt: DynamicPrompt, mode: str) -> ContentKeys:
    is_changed = execution.IsChangedCache("plan", dynprompt, None)
    keys = ContentKeys(dynprompt, is_changed.get, remembers=False)
    keys.mode = "" if mode == EXACT else mode
    await keys.add(order.graph)
    return keys


class _Kept:
    """The store as ExecutionList looks at it, with nothing touched or dropped."""

    def __init__(self, store: Store, keys: ContentKeys) -> None:
        self._store = store
        self._keys = keys
        self._usable: dict[str, Any] = {}

    def get_local(self, node_id: str) -> Any:
        if node_id not in self._usable:
            value = self.result(node_id)
            self._usable[node_id] = value if value is not None and still_there(value) else None
        return self._usable[node_id]

    def result(self, node_id: str) -> Any:
        """What is kept, whether or not its files are still there."""
        key = self._keys.get(node_id)
        entry = self._store.peek(key) if key is not None else None
        return entry.value if entry is not None else None


def _would_run(dynprompt: DynamicPrompt, kept: _Kept, outputs: Iterable[str]) -> set[str]:
    """What ComfyUI's own list of things to do would hold at the start, without what is kept."""
    todo = ExecutionList(dynprompt, kept)
    for node_id in outputs:
        todo.add_node(node_id)
    return {node_id for node_id in todo.pendingNodes if kept.get_local(node_id) is None}


def _might_run(dynprompt: DynamicPrompt, kept: _Kept, run: set[str]) -> set[str]:
    """What a node that runs may ask for once it does: its lazy inputs, and what these need."""
    found: set[str] = set()
    stack = [parent for node_id in run for parent in _parents(dynprompt, node_id)]
    while stack:
        node_id = stack.pop()
        if node_id not in run and node_id not in found and kept.get_local(node_id) is None:
            found.add(node_id)
            stack.extend(_parents(dynprompt, node_id))
    return found


def _parents(dynprompt: DynamicPrompt, node_id: str) -> Iterator[str]:
    values = dynprompt.get_node(node_id)["inputs"].values()
    return (value[0] for value in values if is_link(value) and dynprompt.has_node(value[0]))


def _state(node_id: str, kept: _Kept, run: set[str], maybe: set[str]) -> str:
    if node_id in run:
        return "run"
    if node_id in maybe:
        return "maybe"
    return "cached" if kept.get_local(node_id) is not None else "idle"


def _node(node: dict[str, Any], node_id: str, state: str, kept: _Kept, keys: ContentKeys) -> Found:
    if state not in ("run", "maybe"):
        return Found(state=state)
    return Found(
        state=state,
        always=keys.never_repeats(node_id),
        altered=keys.altered(node_id) is not None,
        files=[text(name) for name in keys.altered(node_id) or ()],
        missing=_gone(kept.result(node_id)),
        loads={text(name): size for name, (_, size, _) in model_files(node).items()},
    )


def _gone(result: Any) -> list[str]:
    """The files of a kept result that are no longer there."""
    ui = (result.ui or {}).get("output") if result is not None and result.ui else None
    return [text(str(path)) for path in files_of(ui) if not path.exists()]
