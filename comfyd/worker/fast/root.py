"""A model's own ``forward`` in a fast job: the first call of each shape is made both ways, and compared."""

import contextlib
import logging
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import comfy.model_management
import torch

from comfyd.modes import FAST
from comfyd.worker.graphs import weights

from .attention import Shapes, choose
from .blocks import blocks_of
from .compiled import Compiled
from .counting import Count


class Maker(Protocol):
    """The job that calls the model."""

    @property
    def mode(self) -> str: ...

    def fall_back(self) -> None:
        """It is not made in fast mode any more."""

    def tell(self, doing: str) -> None:
        """What keeps it from stepping."""


class Gate(NamedTuple):
    """How far a fast call may be from the exact one."""

    differs: Callable[[Any, Any], float]
    limit: float
    unit: str = ""
    decides: bool = True
    """Whether a job whose model does not pass is no fast one."""


class Root:
    """Stands in for the ``forward`` of a diffusion model or a decoder."""

    ours = True

    def __init__(self, module: torch.nn.Module, name: str, gate: Gate, cache: Path, maker: Callable[[], Maker | None]) -> None:
        self.refused = ""
        """Why the model is made exactly after all; empty: it is not."""
        self._module = module
        self._name = name
        self._gate = gate
        self._cache = cache
        self._maker = maker
        self._forward = type(module).forward
        self._known: set[Hashable] = set()
        self._compiling = False
        self._blocks = {block: Compiled(block, kind, lambda: self._compiling) for block, kind in blocks_of(module)}
        if not self._blocks:
            self.refused = "none of its blocks is of a kind that is compiled"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        maker = self._maker()
        if maker is None or maker.mode != FAST:
            return self._forward(self._module, *args, **kwargs)
        if self.refused:
            self._fall_back(maker)
            return self._forward(self._module, *args, **kwargs)
        if _signature(args, kwargs) in self._known or _capturing():
            return self._fast(args, kwargs)
        return self._first(maker, args, kwargs)

    def _fast(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with self._on():
            return self._forward(self._module, *args, **kwargs)

    @contextlib.contextmanager
    def _on(self) -> Iterator[None]:
        benchmark = torch.backends.cudnn.benchmark
        self._compiling = torch.backends.cudnn.benchmark = True
        try:
            yield
        finally:
            self._compiling, torch.backends.cudnn.benchmark = False, benchmark

    def _first(self, maker: Maker, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The exact call, and the fast one with its compilation; the fast result if it is close enough."""
        signature, shapes, count = _signature(args, kwargs), Shapes(), Count()
        exact = self._forward(self._module, *args, **_own(kwargs, shapes))
        maker.tell("compiling")
        try:
            self._install()
            choose(shapes.seen, self._cache / "attention.json")
            fast = self._fast(args, _own(kwargs))
        except comfy.model_management.InterruptProcessingException:
            raise
        except Exception as error:
            if comfy.model_management.is_oom(error):
                raise
            logging.debug("comfyd: compiling failed", exc_info=True)
            return self._refuse(maker, f"compiling it failed ({type(error).__name__})", exact)
        differs, limit, unit = self._gate.differs(exact, fast), self._gate.limit, self._gate.unit
        if not differs <= limit:
            return self._refuse(maker, f"its result differs by {differs:.2g}{unit}, more than {limit:.2g}{unit}", exact)
        logging.info("comfyd: %s is compiled (%s), %.2g%s from exact", self._name, count.since(), differs, unit)
        self._known.add(signature)
        return fast

    def _install(self) -> None:
        if self._known:
            return
        for block, compiled in self._blocks.items():
            block.forward = compiled
        if any(isinstance(part, torch.nn.Conv2d) for block in self._blocks for part in block.modules()):
            self._module.to(memory_format=torch.channels_last)
        weights.changed()

    def _refuse(self, maker: Maker, why: str, exact: Any) -> Any:
        logging.warning("comfyd: %s is not run in fast mode: %s", self._name, why)
        self.refused = why
        for block in self._blocks:
            vars(block).pop("forward", None)
        self._module.to(memory_format=torch.contiguous_format)
        weights.changed()
        self._fall_back(maker)
        return exact

    def _fall_back(self, maker: Maker) -> None:
        if self._gate.decides:
            maker.fall_back()


def relative(exact: Any, fast: Any) -> float:
    """Norm of the difference over the norm of the exact result."""
    exact, fast = exact.float(), fast.float()
    return float((fast - exact).norm() / exact.norm().clamp_min(1e-12))


def _signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
    values = [*args, *(value for _, value in sorted(kwargs.items()))]
    return tuple((tuple(v.shape), v.dtype) if isinstance(v, torch.Tensor) else None for v in values)


def _own(kwargs: dict[str, Any], shapes: Shapes | None = None) -> dict[str, Any]:
    """Arguments that a call may use up: it takes ControlNet's residuals off their lists, and notes where it is."""
    own = dict(kwargs)
    if own.get("control") is not None:
        own["control"] = {name: list(value) if isinstance(value, list) else value for name, value in own["control"].items()}
    if "transformer_options" in own:
        own["transformer_options"] = own["transformer_options"].copy()
        if shapes is not None:
            own["transformer_options"].setdefault("optimized_attention_override", shapes)
    return own


def _capturing() -> bool:
    return bool(torch.cuda.is_available() and torch.cuda.is_current_stream_capturing())
