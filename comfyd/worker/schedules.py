"""Sigmas are remembered: a scheduler asks a model's sampling for each of them, which on a GPU is a wait each time."""

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import comfy.samplers
import torch

from .graphs.own import is_own

_LIMIT = 64
_PLAIN = (str, int, float, bool, type(None))

Key = tuple[object, ...]


def install() -> None:
    """Wraps ``comfy.samplers.calculate_sigmas``."""
    comfy.samplers.calculate_sigmas = _remembering(comfy.samplers.calculate_sigmas)


def _remembering(original: Callable[..., Any]) -> Callable[..., Any]:
    known: OrderedDict[Key, tuple[list[Any], torch.Tensor]] = OrderedDict()

    @functools.wraps(original)
    def calculate_sigmas(model_sampling: Any, scheduler_name: str, steps: int) -> Any:
        if not (_is_own(scheduler_name) and _is_plain(model_sampling)):
            return original(model_sampling, scheduler_name, steps)
        tensors = list(model_sampling.buffers())
        key = (scheduler_name, steps, *_setup(model_sampling, tensors))
        if key not in known:
            # What the key names by its id is held, so that nothing else gets that id.
            known[key] = [model_sampling, *tensors], original(model_sampling, scheduler_name, steps)
        known.move_to_end(key)
        if len(known) > _LIMIT:
            known.popitem(last=False)
        return known[key][1].clone()

    return calculate_sigmas


def _is_own(scheduler_name: str) -> bool:
    """Whether the scheduler is ComfyUI's, which depend on nothing but the sampling and the number of steps."""
    handler = comfy.samplers.SCHEDULER_HANDLERS.get(scheduler_name)
    if handler is None:
        return False
    function = getattr(handler.handler, "func", handler.handler)  # some are partial functions
    return str(getattr(function, "__module__", "")).startswith("comfy.")


def _is_plain(model_sampling: Any) -> bool:
    """Whether the sampling is of one of ComfyUI's classes."""
    return isinstance(model_sampling, torch.nn.Module) and is_own(type(model_sampling).__module__)


def _setup(model_sampling: Any, tensors: list[Any]) -> Key:
    """What a schedule is computed from: the sampling with its scalars and tensors, which are replaced when they change."""
    scalars = tuple((name, value) for name, value in vars(model_sampling).items() if isinstance(value, _PLAIN))
    return id(model_sampling), scalars, tuple(map(id, tensors))
