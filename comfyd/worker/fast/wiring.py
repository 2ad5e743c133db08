"""Puts fast mode into the engine: models are prepared as the sampler or the decoder of a fast job is about to call them."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.sd
import torch

from comfyd.modes import FAST

from .arithmetic import AS_IT_IS, Arithmetic, for_decoder, for_model
from .attention import tell_compiler
from .root import Gate, Maker, Root, relative

_MODEL = Gate(relative, 5e-3)
_DECODER = Gate(lambda exact, fast: _decibels(exact, fast), 42.0, " dB", decides=False, of_likeness=True)
_TAESD = _DECODER._replace(measure=lambda exact, fast: _decibels(2 * exact, 2 * fast))
"""Its pictures are from 0 to 1."""
_VARIANTS = 64
"""Of one block: latent sizes, batches, lengths of text."""


class _Place:
    cache = Path()
    job: Callable[[], Maker | None] = staticmethod(lambda: None)
    stand_in: Maker | None = None


class _StandIn:
    """A job that is none, for calls that nobody waits for."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def fall_back(self) -> None:
        """Nothing is made."""

    def tell(self, doing: str) -> None:
        """There is nobody to be told."""


def install(cache: Path, maker: Callable[[], Maker | None]) -> None:
    """Says where what was measured is kept, and how to learn which job calls; wraps the decoder."""
    _Place.cache, _Place.job = cache, staticmethod(maker)
    comfy.sd.VAE.decode = _preparing(comfy.sd.VAE.decode)


@contextlib.contextmanager
def standing_in(mode: str) -> Iterator[None]:
    """Within, models are called as a job in this mode calls them."""
    _Place.stand_in = _StandIn(mode)
    try:
        yield
    finally:
        _Place.stand_in = None


def prepare(model: Any) -> None:
    """A ``BaseModel`` whose diffusion model is about to be called by a fast job; raises FellBack where it cannot be."""
    device = comfy.model_management.get_torch_device().type
    _root(model.diffusion_model, type(model).__name__, _MODEL, for_model(device))
    maker, root = _maker(), _root_of(model.diffusion_model)
    if maker is not None and (root is None or root.refused):
        maker.fall_back()


def is_refused(model: Any) -> bool:
    """Whether jobs that call the model's diffusion model are no fast ones."""
    root = _root_of(getattr(model, "diffusion_model", None))
    return root is not None and bool(root.refused)


def state(model: Any) -> str:
    """For people: ``fast``, ``exact`` with the reason, or empty where no fast job has had the model."""
    for module in (getattr(model, "diffusion_model", None), getattr(model, "decoder", None)):
        if root := _root_of(module):
            return f"exact: {root.refused}" if root.refused else FAST
    return ""


def _preparing(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def decode(self: Any, *args: Any, **kwargs: Any) -> Any:
        maker = _maker()
        if maker is not None and maker.mode == FAST:
            device = self.device.type
            for name, gate in _decoders(device):
                if isinstance(decoder := getattr(self.first_stage_model, name, None), torch.nn.Module):
                    _root(decoder, "VAE", gate, for_decoder(device))
        return original(self, *args, **kwargs)

    return decode


def _decoders(device: str) -> list[tuple[str, Gate]]:
    """Names that decoders have within their models; nothing compiles a TAESD, so that it has nothing to gain on a GPU."""
    return [("decoder", _DECODER), ("taesd_decoder", _TAESD)] if device == "cpu" else [("decoder", _DECODER)]


def _root(module: torch.nn.Module, name: str, gate: Gate, arithmetics: tuple[Arithmetic, ...] = (AS_IT_IS,)) -> None:
    if "forward" not in vars(module):
        _configure()
        module.forward = Root(module, name, gate, _Place.cache, _maker, arithmetics)


def _root_of(module: Any) -> Root | None:
    forward = vars(module).get("forward") if isinstance(module, torch.nn.Module) else None
    return forward if isinstance(forward, Root) else None


def _maker() -> Maker | None:
    return _Place.stand_in or _Place.job()


@functools.cache
def _configure() -> None:
    """Settings of the compiler; its import takes seconds that only fast jobs pay."""
    import torch._dynamo

    torch._dynamo.config.recompile_limit = _VARIANTS
    torch._dynamo.config.accumulated_recompile_limit = 64 * _VARIANTS
    tell_compiler()


def _decibels(exact: Any, fast: Any) -> float:
    """PSNR of pictures from -1 to 1."""
    error = float((exact.float() - fast.float()).square().mean())
    return 10 * float(torch.log10(torch.tensor(4.0 / max(error, 1e-20))))
