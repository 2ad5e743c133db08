"""Captures in idle time: a call that was made once is a replay the second time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch

from . import key, tree
from .calls import Capturing, Graphs, Refused, reason_of, same_bits
from .ledger import Graph, Step
from .seen import Seen

_SCALE = 0.75  # exact in every type, and what is finite stays so
_SCALED = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class Idle:
    """Works on one call at a time; ``standing_in`` has model calls made as those of a job in a mode."""

    def __init__(self, graphs: Graphs, capturing: Capturing, standing_in: Callable[[str], AbstractContextManager[None]]) -> None:
        self._graphs = graphs
        self._capturing = capturing
        self._standing_in = standing_in

    @property
    def left(self) -> bool:
        """Whether there is something to do."""
        return bool(self._graphs.seen)

    def capture(self) -> None:
        """Captures the call that was seen longest ago, if that can still be; one that is interrupted comes again.

        Where memory is short, nothing is given up for a call that may never come again: its second time will tell.
        """
        self._graphs.bury()
        seen = self._graphs.seen.first()
        if seen is None:
            return
        try:
            with self._graphs.inside(), self._standing_in(seen.mode):
                self._capture(seen)
        except self._graphs.interrupts:
            return
        except Exception as error:
            if not self._capturing.lacks_memory(error):
                self._graphs.refuse(seen.key, reason_of(error))
        self._graphs.seen.drop(seen.key)

    def _capture(self, seen: Seen) -> None:
        call = seen.again() if self._is_due(seen) else None
        if call is None:
            return

        def function(tensors: list[torch.Tensor]) -> Any:
            return call(tree.build(seen.structure, tensors))

        eager = self._capturing.audit(function, seen.tensors, seen.compiled)
        graph = self._capturing.capture(function, seen.tensors, seen.compiled)
        try:
            self._compare(graph, function, seen, eager)
        except BaseException:
            graph.close()
            raise
        self._graphs.ledger.captured(seen.key, graph)
        self._graphs.ledger.proved(seen.key)

    def _is_due(self, seen: Seen) -> bool:
        """Whether it has no graph yet, may have one, and would launch the same kernels now."""
        entry, ledger = self._graphs.ledger.peek(seen.key), self._graphs.ledger
        wanted = entry is not None and entry.step is Step.CAPTURE and seen.key.switches[0] == key.switches()
        return wanted and self._graphs.may_capture() and ledger.roomy and self._capturing.roomy(ledger.size)

    def _compare(self, graph: Graph, function: Callable[[list[Any]], Any], seen: Seen, eager: Any) -> None:
        """Replays it on its own inputs, and on others, so that a frozen value would show; raises Refused for one other bit."""
        if not same_bits(graph.replay(seen.tensors), eager):
            raise Refused("its first replay differs from eager")
        others = [tensor * _SCALE if tensor.dtype in _SCALED else tensor for tensor in seen.tensors]
        eager = self._capturing.audit(function, others, seen.compiled)
        if not same_bits(graph.replay(others), eager):
            raise Refused("its first replay differs from eager")
