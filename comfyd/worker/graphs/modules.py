"""Further modules whose calls become graphs: ControlNets, text encoders' layers, autoencoders' halves."""

import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch

from . import tree, weights
from .calls import Call, Graphs


def methods() -> Iterator[tuple[type, str, bool]]:
    """Classes and their methods of tensors in and tensors out, and whether they leave their arguments as they are."""
    import comfy.cldm.cldm
    import comfy.clip_model
    import comfy.ldm.models.autoencoder
    import comfy.taesd.taesd
    import comfy.text_encoders.t5

    yield comfy.cldm.cldm.ControlNet, "forward", False
    yield comfy.clip_model.CLIPEncoder, "forward", False
    yield comfy.text_encoders.t5.T5Stack, "forward", False
    for half in ("decode", "encode"):
        yield comfy.ldm.models.autoencoder.AutoencodingEngine, half, True
        yield comfy.ldm.models.autoencoder.AutoencodingEngineLegacy, half, True
        yield comfy.taesd.taesd.TAESD, half, True


def graphed(graphs: Graphs, original: Callable[..., Any], repeatable: bool, mode: Callable[[], str | None]) -> Callable[..., Any]:
    """The method with graphs; ``mode`` tells that of the job whose thread this is, None where it is no job's."""

    @functools.wraps(original)
    def method(self: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        def eager() -> Any:
            return original(self, *args, **kwargs)

        if (made := mode()) is None:
            return eager()
        owner = weights.of(self, graphs.died)
        label = type(self).__name__ if method.__name__ == "forward" else f"{type(self).__name__}.{method.__name__}"
        if reason := _why_not(self, method.__name__, owner) or _device(args, kwargs):
            return graphs.eagerly(owner.owner, label, reason, eager)
        call = Call(
            owner.owner,
            owner.epoch,
            label,
            (args, kwargs),
            _function(self, original),
            eager,
            switches=made,
            compiled=owner.compiled,
            repeatable=repeatable,
            mode=made,
            again=_again(graphs, self, method.__name__, original),
        )
        return graphs.run(call)

    return method


def _function(module: torch.nn.Module, original: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda arguments: original(module, *arguments[0], **arguments[1])


def _again(
    graphs: Graphs, module: torch.nn.Module, name: str, original: Callable[..., Any]
) -> Callable[[], Callable[[Any], Any] | None]:
    """See Call."""
    alive, epoch = weakref.ref(module), weights.of(module, graphs.died).epoch

    def again() -> Callable[[Any], Any] | None:
        module = alive()
        if module is None:
            return None
        weights.look_again()
        owner = weights.of(module, graphs.died)
        return None if owner.epoch != epoch or _why_not(module, name, owner) else _function(module, original)

    return again


def _why_not(module: torch.nn.Module, name: str, owner: weights.Weights) -> str:
    return owner.reason or ("a node pack has changed it" if name in vars(module) else "")


def _device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    try:
        _, tensors = tree.flatten((args, kwargs), lambda _: True)
    except tree.Unsupported as error:
        return str(error)
    if not tensors or not all(tensor.is_cuda for tensor in tensors):
        return "it is not given values on the GPU"
    return "it is trained" if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors) else ""
