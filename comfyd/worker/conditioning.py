"""Conditioning goes to the device once a run: ComfyUI keeps it in RAM and copies it before every model call, which waits."""

import functools
from collections.abc import Callable
from typing import Any

import comfy.conds
import comfy.samplers
import torch

_PLAIN = (comfy.conds.CONDRegular, comfy.conds.CONDCrossAttn, comfy.conds.CONDNoiseShape)


def install() -> None:
    """Wraps ``comfy.samplers.process_conds``, which makes a run's conditioning ready."""
    comfy.samplers.process_conds = _moving(comfy.samplers.process_conds)


def _moving(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def process_conds(model: Any, noise: Any, conds: Any, device: Any, *args: Any, **kwargs: Any) -> Any:
        made = original(model, noise, conds, device, *args, **kwargs)
        if torch.device(device).type == "cuda":
            for group in made.values():
                _move(group, device)
        return made

    return process_conds


def _move(group: list[dict[str, Any]], device: Any) -> None:
    """Puts the model's conditioning of a group on the device; the caller's own dictionaries stay as they are."""
    for number, cond in enumerate(group):
        moved = {name: _on(value, device) for name, value in cond.get("model_conds", {}).items()}
        group[number] = cond | {"model_conds": moved} if moved else cond


def _on(value: Any, device: Any) -> Any:
    """The same conditioning with its tensor on the device; what is of another kind stays where it is."""
    if type(value) in _PLAIN and isinstance(value.cond, torch.Tensor) and value.cond.device.type == "cpu":
        return type(value)(value.cond.to(device))
    return value
