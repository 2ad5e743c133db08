"""A model's own ``forward`` in a fast job: the first call of each shape is made both ways, and compared."""

import contextlib
import functools
import logging
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import comfy.model_management
import torch

from comfyd.modes import FAST
from comfyd.worker.graphs import weights
from comfyd.worker.graphs.diffusion import own_residuals

from .arithmetic import AS_IT_IS, Arithmetic
from .attention import Shapes, choose
from .blocks import blocks_of, may_be_called_twice
from .compiled import Compiled
from .counting import Count
from .signature import signature


class Maker(Protocol):
    """The job that calls the model."""

    @property
    def mode(self) -> str: ...

    def fall_back(self) -> None:
        """It cannot be made in fast mode; raises what ends its run, except where nobody waits for it."""

    def tell(self, doing: str) -> None:
        """What keeps it from stepping."""


class Gate(NamedTuple):
    """How far a fast call may be from the exact one."""

    measure: Callable[[Any, Any], float]
    limit: float
    unit: str = ""
    decides: bool = True
    """Whether a job whose model does not pass is no fast one."""
    of_likeness: bool = False
    """Whether what is measured grows as the two come closer, as decibels do."""

    def passes(self, measured: float) -> bool:
        """Whether the call is close enough; what is not a number is not."""
        return measured >= self.limit if self.of_likeness else measured <= self.limit

    def says(self, measured: float) -> str:
        """Why a call does not pass, for people."""
        than = "less" if self.of_likeness else "more"
        return f"its result is {self.shown(measured)} from exact, {than} than {self.shown(self.limit)}"

    def shown(self, measured: float) -> str:
        """With its unit."""
        return f"{measured:.3g}{self.unit}"


class Root:
    """Stands in for the ``forward`` of a diffusion model or a decoder."""

    ours = True

    def __init__(
        self,
        module: torch.nn.Module,
        name: str,
        gate: Gate,
        cache: Path,
        maker: Callable[[], Maker | None],
        arithmetics: tuple[Arithmetic, ...] = (AS_IT_IS,),
    ) -> None:
        self.refused = ""
        """Why the model is made exactly after all; empty: it is not."""
        self._module = module
        self._name = name
        self._gate = gate
        self._cache = cache
        self._maker = maker
        self._arithmetics = [*arithmetics]
        """Those that no call has shown to be too coarse; calls are made in the first of them."""
        self._forward = type(module).forward
        self._known: dict[Hashable, frozenset[torch.nn.Module]] = {}
        """The blocks that ran compiled when a call of that signature was compared; no other is compiled in such a call."""
        self._on: set[torch.nn.Module] = set()
        self._ran: set[torch.nn.Module] = set()
        self._blocks = {block: Compiled(block, kind, self._on, self._ran) for block, kind in blocks_of(module)}
        parts = [*self._blocks] or [module]
        self._convolves = any(isinstance(part, torch.nn.Conv2d) for whole in parts for part in whole.modules())
        self._installed = False
        self._order: torch.memory_format | None = None
        """Of the convolutions' weights; None: as they were loaded."""
        if not self._blocks and not may_be_called_twice(module):
            self.refused = "none of its blocks is of a kind that is compiled"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        maker = self._maker()
        if maker is not None and maker.mode == FAST and self.refused and self._gate.decides:
            maker.fall_back()
        if maker is None or maker.mode != FAST or self.refused:
            self._put_back()
            return self._forward(self._module, *args, **kwargs)
        compared = self._known.get(signature(args, kwargs))
        if compared is not None or _capturing():
            self._install()
            return self._fast(args, kwargs, compared or ())
        return self._first(maker, args, kwargs)

    def _fast(self, args: tuple[Any, ...], kwargs: dict[str, Any], blocks: Iterable[torch.nn.Module]) -> Any:
        with self._compiling(blocks):
            return self._arithmetics[0].call(functools.partial(self._forward, self._module), args, kwargs)

    @contextlib.contextmanager
    def _compiling(self, blocks: Iterable[torch.nn.Module]) -> Iterator[None]:
        benchmark = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = True
        self._on.update(blocks)
        self._ran.clear()
        try:
            yield
        finally:
            torch.backends.cudnn.benchmark = benchmark
            self._on.clear()

    def _first(self, maker: Maker, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The exact call, and the fast one with its compilation; the fast result if it is close enough."""
        seen, shapes, count = signature(args, kwargs), Shapes(), Count()
        exact = self._forward(self._module, *args, **_own(kwargs, shapes))
        if self._blocks:
            maker.tell("compiling")
        while isinstance(made := self._compared(exact, args, kwargs, shapes), str):
            if len(self._arithmetics) == 1:
                return self._refuse(maker, made, args, kwargs)
            logging.info("comfyd: %s is not run %s: %s", self._name, self._arithmetics.pop(0).name, made)
            self._known.clear()
        fast, measured = made
        done, how = f"compiled ({count.since()})" if self._ran else "fast", self._arithmetics[0].name
        logging.info("comfyd: %s is %s, %s from exact%s", self._name, done, self._gate.shown(measured), how and f", {how}")
        self._known[seen] = frozenset(self._ran)
        return fast

    def _compared(self, exact: Any, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: Shapes) -> tuple[Any, float] | str:
        """The fast result and how far it is from the exact one, or why it is none."""
        try:
            self._install()
            with self._arithmetics[0].within():
                choose(shapes.seen, self._cache / "attention.json")
            fast = self._fast(args, _own(kwargs), self._blocks)
            measured = self._gate.measure(exact, fast)
        except comfy.model_management.InterruptProcessingException:
            raise
        except Exception as error:
            if comfy.model_management.is_oom(error):
                raise
            logging.debug("comfyd: compiling failed", exc_info=True)
            return f"compiling it failed ({type(error).__name__})"
        return (fast, measured) if self._gate.passes(measured) else self._gate.says(measured)

    def _install(self) -> None:
        """Puts the compiled blocks in place and the convolutions' weights in the order that they like."""
        if not self._installed:
            for block, compiled in self._blocks.items():
                block.forward = compiled
            self._installed = True
            weights.changed()
        if self._order is not torch.channels_last and self._convolves:
            self._reorder(torch.channels_last)

    def _put_back(self) -> None:
        """Before an exact call, of a model that a node pack keeps for all jobs: weights in the order that they were loaded in.

        What a LoRA's merging has kept of them may come back in the other order at any time.
        """
        if self._order is None:
            return
        self._order = torch.contiguous_format
        if any(weight.dim() == 4 and not weight.is_contiguous() for weight in self._module.parameters()):
            self._reorder(torch.contiguous_format)

    def _reorder(self, order: torch.memory_format) -> None:
        self._module.to(memory_format=order)
        self._order = order
        weights.changed()

    def _refuse(self, maker: Maker, why: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The exact call, for which the weights are as they were."""
        logging.warning("comfyd: %s is not run in fast mode: %s", self._name, why)
        self.refused = why
        for block in self._blocks:
            vars(block).pop("forward", None)
        self._put_back()
        weights.changed()
        if self._gate.decides:
            maker.fall_back()
        return self._forward(self._module, *args, **kwargs)


def relative(exact: Any, fast: Any) -> float:
    """Norm of the difference over the norm of the exact result."""
    exact, fast = exact.float(), fast.float()
    return float((fast - exact).norm() / exact.norm().clamp_min(1e-12))


def _own(kwargs: dict[str, Any], shapes: Shapes | None = None) -> dict[str, Any]:
    """Arguments that a call may use up: it takes ControlNet's residuals off their lists, and notes where it is."""
    own = dict(kwargs)
    if "control" in own:
        own["control"] = own_residuals(own["control"])
    if "transformer_options" in own:
        own["transformer_options"] = own["transformer_options"].copy()
        if shapes is not None:
            own["transformer_options"].setdefault("optimized_attention_override", shapes)
    return own


def _capturing() -> bool:
    return bool(torch.cuda.is_available() and torch.cuda.is_current_stream_capturing())
