"""A call's way: eager the first time, captured while idle or the second time, compared with eager, replayed from then on."""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from . import key, tree
from .key import Key
from .ledger import Entry, Graph, Ledger, Step
from .seen import Seen, SeenCalls

_PATIENCE = 3  # times that graphs make room for others before no more are made for a while
_WHILE = 600.0  # seconds


class Refused(Exception):
    """A call cannot become a graph; says why."""


class Capturing(Protocol):
    """What captures: CUDA, or a stand-in in tests."""

    def audit(self, function: Callable[[list[Any]], Any], tensors: list[Any], compiled: bool) -> Any:
        """Runs the function once on the GPU's own copies of the tensors; raises Refused for what a graph would freeze."""

    def capture(self, function: Callable[[list[Any]], Any], tensors: list[Any], compiled: bool) -> Graph:
        """The function on these tensors as a graph; raises whatever capture fails with, and leaves nothing behind."""

    def lacks_memory(self, error: BaseException) -> bool:
        """Whether an error says that the device's memory ran out."""

    def release(self) -> None:
        """After graphs were dropped for their memory: gives it back to the device."""

    def roomy(self, pool: int) -> bool:
        """Whether the device has memory to spare for graphs that may never be used; ``pool``: what the graphs have."""


@dataclass(frozen=True)
class Call:
    """One call of a model."""

    owner: int
    epoch: int
    label: str
    """What is called, for people."""
    arguments: Any
    """Nested lists, tuples and dicts of tensors and plain values."""
    function: Callable[[Any], Any]
    """Runs the call on such arguments."""
    eager: Callable[[], Any]
    """Runs it as the caller meant it."""
    others: tuple[int, ...] = ()
    """Further modules it depends on, with the owner."""
    switches: Hashable = ()
    run: Any = None
    """The sampling run it belongs to, where that is too short for a capture to pay within it."""
    compiled: bool = False
    """Whether parts of it are compiled, which cannot be looked into operation by operation."""
    repeatable: bool = True
    """Whether it leaves its arguments as they are, so that it can run once more when memory ran out."""
    mode: str = ""
    """Of the job that makes it."""
    again: Callable[[], Callable[[Any], Any] | None] | None = None
    """Gives ``function`` at a later time, None where the call would be another by then, and keeps no model in memory.

    None in its place: only a job makes the call."""


class Graphs:
    """Runs calls of one device; the thread that holds the baton calls, and a call within a call is the outer one's part."""

    def __init__(
        self, capturing: Capturing, ledger: Ledger, interrupts: tuple[type[BaseException], ...], known: Callable[[Any], bool]
    ) -> None:
        self.ledger = ledger
        self.reasons: dict[tuple[int, str], tuple[str, float]] = {}
        """Owner and label -> why its last call could not even be tried, and when, for people."""
        self.seen = SeenCalls()
        self.interrupts = interrupts
        self._capturing = capturing
        self._known = known
        self._squeezed: deque[float] = deque(maxlen=_PATIENCE)
        """When graphs last had to make room."""
        self._dead: set[int] = set()
        self._local = threading.local()

    def run(self, call: Call) -> Any:
        """The call's result, which belongs to the caller."""
        if getattr(self._local, "inside", False):
            return call.eager()
        self.bury()
        if key.casts():  # weights in other types that are cast once and kept for a while
            return self.eagerly(call.owner, call.label, "it runs under autocast", call.eager)
        try:
            structure, tensors = tree.flatten(call.arguments, self._known)
        except tree.Unsupported as error:
            return self.eagerly(call.owner, call.label, str(error), call.eager)
        self.reasons.pop((call.owner, call.label), None)
        specs = tuple(map(key.spec, tensors))
        found = Key(call.owner, call.epoch, call.others, call.label, structure, specs, (key.switches(), call.switches))
        with self.inside():
            return _Attempt(self, self._capturing, call, found, structure, tensors).result()

    def eagerly(self, owner: int, label: str, reason: str, eager: Callable[[], Any]) -> Any:
        """Runs what may not become a graph, and remembers why."""
        before, _ = self.reasons.get((owner, label), ("", 0.0))
        self.reasons[owner, label] = reason, time.time()
        if before != reason:
            logging.info("comfyd: %s runs eagerly: %s", label, reason)
        return eager()

    def forget(self, owner: int) -> None:
        """Drops an owner's graphs, because its weights go."""
        self.ledger.forget(owner)
        self.seen.forget(owner)
        self.reasons = {at: reason for at, reason in self.reasons.items() if at[0] != owner}

    def died(self, owner: int) -> None:
        """The owner was collected, perhaps in the middle of anything: its graphs go at the next occasion."""
        self._dead.add(owner)

    def make_room(self, why: str) -> None:
        """Drops all graphs and gives their memory back, because something else is short of it."""
        if self.ledger.graphs:
            self._squeezed.append(self.ledger.now())
        self.clear(why)

    def clear(self, why: str) -> None:
        """Drops all graphs and gives their memory back."""
        self.seen.clear()
        if self.ledger.graphs:
            logging.info("comfyd: %d graphs dropped: %s", self.ledger.graphs, why)
            self.ledger.clear()
            self._capturing.release()

    def may_capture(self) -> bool:
        """Whether graphs have not had to make room too often of late, or there is plenty of it by now."""
        often = len(self._squeezed) == _PATIENCE and self.ledger.now() - self._squeezed[0] < _WHILE
        return not often or self._capturing.roomy(self.ledger.size)

    def forgive(self) -> None:
        """Gives those another chance that had to make room."""
        self._squeezed.clear()
        self.ledger.pardon()

    def refuse(self, key: Key, reason: str) -> None:
        """The call runs eagerly from now on."""
        logging.warning("comfyd: no graph of %s: %s", key.label, reason)
        self.ledger.refuse(key, reason)

    def postpone(self, key: Key, reason: str) -> None:
        """The call runs eagerly until memory has been freed, or for a while."""
        logging.warning("comfyd: no graph of %s for now: %s", key.label, reason)
        self.ledger.refuse(key, reason, self.ledger.now() + _WHILE)

    def lacks_memory(self, error: BaseException) -> bool:
        return bool(self.ledger.graphs) and self._capturing.lacks_memory(error)

    def bury(self) -> None:
        """Drops the graphs of models that were collected."""
        while self._dead:
            self.forget(self._dead.pop())

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Calls within are parts of one."""
        self._local.inside = True
        try:
            yield
        finally:
            self._local.inside = False


@dataclass(frozen=True)
class _Attempt:
    """One call on its way."""

    graphs: Graphs
    capturing: Capturing
    call: Call
    key: Key
    structure: Hashable
    tensors: list[torch.Tensor]

    def result(self) -> Any:
        entry = self.graphs.ledger.look_up(self.key, self.call.run)
        if entry is None:
            return self._first()
        if entry.step is Step.EAGER:
            return self._eager()
        if entry.step is Step.CAPTURE and self.call.run is not None and entry.run == self.call.run:
            return self._eager()
        if entry.step is Step.CAPTURE:
            return self._capture()
        return self._trial(entry) if entry.step is Step.TRIAL else self._replay(entry)

    def _first(self) -> Any:
        seen = self._seen()
        result = self._eager()
        if seen is not None:
            self.graphs.seen.add(seen)
        return result

    def _seen(self) -> Seen | None:
        """The call for idle time, with copies of its inputs, which it may use up; None where it is none for that."""
        if self.call.again is None or not self.graphs.may_capture() or not self.graphs.seen.takes(self.tensors):
            return None
        try:
            copies = [tensor.clone() for tensor in self.tensors]
        except Exception as error:
            if self.capturing.lacks_memory(error):
                return None
            raise
        return Seen(self.key, self.structure, copies, self.call.again, self.call.mode, self.call.compiled)

    def _eager(self) -> Any:
        try:
            return self.call.eager()
        except Exception as error:
            if not self.call.repeatable or not self.graphs.lacks_memory(error):
                raise
        self.graphs.make_room("memory ran short")
        return self.call.eager()

    def _function(self, tensors: list[torch.Tensor]) -> Any:
        return self.call.function(tree.build(self.structure, tensors))

    def _capture(self) -> Any:
        self.graphs.seen.drop(self.key)
        kept = self.tensors if self.call.repeatable else [tensor.clone() for tensor in self.tensors]
        result = self._eager()
        if not self.graphs.may_capture():
            self.graphs.postpone(self.key, "there is too little VRAM for graphs beside the models")
            return result
        try:
            audited = self.capturing.audit(self._function, kept, self.call.compiled)
            if not same_bits(audited, result):
                raise Refused("two eager runs differ")
            self.graphs.ledger.captured(self.key, self.capturing.capture(self._function, kept, self.call.compiled))
        except self.graphs.interrupts:
            raise
        except Exception as error:
            self._failed(error)
        return result

    def _failed(self, error: Exception) -> None:
        if self.capturing.lacks_memory(error):
            self.graphs.make_room("memory ran out during capture")
            self.graphs.postpone(self.key, "memory ran out during capture")
        else:
            self.graphs.refuse(self.key, reason_of(error))

    def _trial(self, entry: Entry) -> Any:
        """Eager's result; the inputs are others than those it was captured with, so that a frozen value would show."""
        replayed = self._replayed(entry)
        result = self._eager()
        if replayed is None:
            return result
        if same_bits(replayed, result):
            self.graphs.ledger.proved(self.key)
        else:
            self.graphs.refuse(self.key, "its first replay differs from eager")
        return result

    def _replay(self, entry: Entry) -> Any:
        replayed = self._replayed(entry)
        return self._eager() if replayed is None else replayed

    def _replayed(self, entry: Entry) -> Any:
        """None where there was no memory for the result, and graphs have made room for it."""
        assert entry.graph is not None
        try:
            result = entry.graph.replay(self.tensors)
        except Exception as error:
            if not self.graphs.lacks_memory(error):
                raise
            self.graphs.make_room("memory ran short")
            return None
        entry.replays += 1
        return result


def reason_of(error: Exception) -> str:
    """An error as the reason why a call runs eagerly: its first line."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def same_bits(one: Any, other: Any) -> bool:
    """Whether two results are equal in structure and to the last bit, NaN included."""
    try:
        (mine, left), (yours, right) = tree.flatten(one), tree.flatten(other)
    except tree.Unsupported:
        return False
    return mine == yours and all(_equal(a, b) for a, b in zip(left, right, strict=True))


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
        return False
    return bool(torch.equal(_as_bytes(one), _as_bytes(other)))


def _as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().flatten().view(torch.uint8)
