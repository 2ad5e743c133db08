"""A stand-in for CUDA: a "graph" that computes again what it was captured with, as a graph would."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from comfyd.worker.graphs.calls import Call, Graphs
from comfyd.worker.graphs.ledger import Ledger


@dataclass
class FakeGraph:
    """Runs the function that was captured on copies of what it is given."""

    function: Callable[[list[torch.Tensor]], Any]
    size: int = 100
    closed: bool = False

    def replay(self, tensors: list[torch.Tensor]) -> Any:
        assert not self.closed, "a closed graph was replayed"
        return self.function([tensor.clone() for tensor in tensors])

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeCapturing:
    """Counts what is asked of it; ``freeze`` makes graphs whose result stays that of their capture."""

    size: int = 100
    freeze: bool = False
    error: Exception | None = None
    replay_error: Exception | None = None
    room: bool = True
    made: list[FakeGraph] = field(default_factory=list)
    released: int = 0

    def audit(self, function: Callable[[list[torch.Tensor]], Any], tensors: list[torch.Tensor], compiled: bool) -> Any:
        return function([tensor.clone() for tensor in tensors])

    def capture(self, function: Callable[[list[torch.Tensor]], Any], tensors: list[torch.Tensor], compiled: bool) -> FakeGraph:
        if self.error:
            raise self.error
        result = function([tensor.clone() for tensor in tensors])
        graph = FakeGraph((lambda _: result) if self.freeze else self._replayed(function), self.size)
        self.made.append(graph)
        return graph

    def _replayed(self, function: Callable[[list[torch.Tensor]], Any]) -> Callable[[list[torch.Tensor]], Any]:
        def replayed(tensors: list[torch.Tensor]) -> Any:
            if self.replay_error:
                raise self.replay_error
            return function(tensors)

        return replayed

    def lacks_memory(self, error: BaseException) -> bool:
        return isinstance(error, MemoryError)

    def release(self) -> None:
        self.released += 1

    def roomy(self, pool: int) -> bool:
        return self.room


class Interrupted(Exception):
    """As ComfyUI's InterruptProcessingException."""


class Model:
    """Counts its eager runs."""

    def __init__(self, graphs: Graphs, owner: int = 1, epoch: int = 1) -> None:
        self.graphs = graphs
        self.owner = owner
        self.epoch = epoch
        self.eager = 0
        self.run: object = None
        self.gone = False
        """Whether its calls would be others by now."""
        self.compute: Callable[[torch.Tensor], torch.Tensor] = lambda x: x * 2

    def __call__(self, x: torch.Tensor, **more: Any) -> Any:
        def eager() -> Any:
            self.eager += 1
            return self.compute(x)

        def function(arguments: Any) -> Any:
            return self.compute(arguments["x"])

        def again() -> Callable[[Any], Any] | None:
            return None if self.gone else function

        call = Call(self.owner, self.epoch, "Model", {"x": x} | more, function, eager, run=self.run, mode="exact", again=again)
        return self.graphs.run(call)


@dataclass
class Clock:
    """Stands still until it is set."""

    time: float = 0.0

    def __call__(self) -> float:
        return self.time


def make(
    limit: int = 1000, count: int = 64, clock: Callable[[], float] = time.time, **settings: Any
) -> tuple[Graphs, FakeCapturing]:
    capturing = FakeCapturing(**settings)
    return Graphs(capturing, Ledger(limit, count, clock), (Interrupted,), lambda _: False), capturing
