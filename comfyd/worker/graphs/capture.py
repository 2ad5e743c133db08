"""Capture by CUDA: the graph with its own inputs and outputs, in a pool of memory that all graphs share."""

import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import Any

import comfy.model_management
import torch

from . import tree
from .audit import Draws, Watch, undone
from .calls import Refused
from .pace import Pace
from .proof import Proof

_SPARE = 0.25  # of the device's memory: less than that is left to jobs


class CudaGraph:
    """A captured call with the addresses it reads and writes."""

    def __init__(
        self, graph: Any, inputs: list[torch.Tensor], outputs: Any, size: int, pace: Pace, closed: Callable[[], None]
    ) -> None:
        self.size = size
        self._closed = closed
        self._graph = graph
        self._inputs = inputs
        self._structure, self._outputs = tree.flatten(outputs)
        self._pace = pace

    def replay(self, tensors: list[torch.Tensor]) -> Any:
        """Copies the inputs in, launches, and copies the outputs out before another replay can overwrite them."""
        self._pace.wait()
        for own, given in zip(self._inputs, tensors, strict=True):
            own.copy_(given, non_blocking=True)
        self._graph.replay()
        # One copy for each tensor, however often the outputs name it.
        copies = {id(output): output.clone() for output in self._outputs}
        self._pace.mark()
        return tree.build(self._structure, [copies[id(output)] for output in self._outputs])

    def close(self) -> None:
        torch.cuda.synchronize()
        self._graph.reset()
        self._inputs, self._outputs = [], []
        self._closed()


class Cuda:
    """Captures on a stream of its own; the caller makes sure that nothing else launches work in this thread meanwhile."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()
        self._open = 0
        self._pace = Pace()
        self._proof = Proof(device)

    def audit(self, function: Callable[[list[torch.Tensor]], Any], tensors: list[torch.Tensor], compiled: bool) -> Any:
        """Runs the function once; raises Refused for what a graph would freeze, with the generators put back."""
        inputs = [tensor.to(self._device) if tensor.device != self._device else tensor.clone() for tensor in tensors]
        draws = Draws(self._device)
        watch = Watch()
        with undone(draws):
            with contextlib.nullcontext() if compiled else watch:
                result = function(inputs)
            if draws.any():
                raise Refused("it draws random numbers")
        if watch.found:
            raise Refused(watch.found)
        return result

    def capture(
        self, function: Callable[[list[torch.Tensor]], Any], tensors: list[torch.Tensor], compiled: bool = False
    ) -> CudaGraph:
        """The function as a graph; a capture that fails is ended, and what it took is given back."""
        self._warm_up()
        # What is compiled would be compiled once more for torch's functions being other ones.
        functions = contextlib.nullcontext() if compiled else self._proof.functions()
        torch.cuda.synchronize(self._device)
        if not self._open:  # torch does not take up again a pool whose last graph has gone
            self._pool = torch.cuda.graph_pool_handle()
        before = torch.cuda.memory_reserved(self._device)
        inputs = [torch.empty_like(tensor, device=self._device) for tensor in tensors]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(self._stream), _no_collection():
            try:
                # Other threads go on with their own work, allocations included.
                graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
                with functions:
                    outputs = function(inputs)
            except BaseException:
                self._abandon(graph)
                raise
            self._end(graph)
        size = torch.cuda.memory_reserved(self._device) - before
        self._open += 1
        return CudaGraph(graph, inputs, outputs, max(size, 0), self._pace, self._close)

    def _close(self) -> None:
        self._open -= 1

    def lacks_memory(self, error: BaseException) -> bool:
        return isinstance(error, Exception) and bool(comfy.model_management.is_oom(error))

    def release(self) -> None:
        torch.cuda.empty_cache()

    def roomy(self, pool: int) -> bool:
        free, total = comfy.model_management.get_free_memory(self._device), torch.cuda.mem_get_info(self._device)[1]
        return bool(free - pool > total * _SPARE)

    def _warm_up(self) -> None:
        """Has cuBLAS take its workspace for this thread and stream from the common pool, where it may stay."""
        with torch.cuda.stream(self._stream):
            for dtype in (torch.float32, torch.float16, torch.bfloat16):
                square = torch.zeros(32, 32, device=self._device, dtype=dtype)
                torch.nn.functional.linear(square, square, square[0])
                torch.bmm(square[None], square[None])

    def _end(self, graph: Any) -> None:
        try:
            graph.capture_end()
        except BaseException:
            self._recover()
            raise

    def _abandon(self, graph: Any) -> None:
        try:
            graph.capture_end()
        except RuntimeError:  # what failed has made the capture invalid
            self._recover()
        graph.reset()

    def _recover(self) -> None:
        """Torch leaves its allocator and generator in the capture when the capture cannot be ended.

        The pool stays taken: whether the graph still counts as one of its users differs between versions of torch.
        """
        index = self._device.index or 0
        generator = torch.cuda.default_generators[index]
        for step in (
            lambda: torch._C._cuda_endAllocateToPool(index, self._pool),
            lambda: generator.graphsafe_set_state(generator.clone_state()),
        ):
            with contextlib.suppress(RuntimeError, AttributeError):
                step()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keeps Python's collector, which may free graphs and events of others, out of a capture."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
