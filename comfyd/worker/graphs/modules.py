"""Further modules whose calls become graphs: ControlNets, text encoders' layers, autoencoders' halves."""

import functools
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from . import tree, weights
from .calls import Call, Graphs


@dataclass(frozen=True)
class Method:
    """A method of a class, of tensors in and tensors out."""

    kind: type
    name: str
    repeatable: bool
    """Whether it leaves its arguments as they are."""
    takes: Callable[[tuple[Any, ...], dict[str, Any]], bool] = lambda args, kwargs: True
    """Whether a call with these arguments is one of many of its kind."""


def methods() -> Iterator[Method]:
    """Those that become graphs beside the diffusion model's."""
    import comfy.cldm.cldm
    import comfy.cldm.mmdit
    import comfy.clip_model
    import comfy.ldm.flux.controlnet
    import comfy.ldm.models.autoencoder
    import comfy.ldm.wan.vae
    import comfy.taesd.taesd
    import comfy.text_encoders.llama
    import comfy.text_encoders.t5

    for control in (comfy.cldm.cldm.ControlNet, comfy.cldm.mmdit.ControlNet, comfy.ldm.flux.controlnet.ControlNetFlux):
        yield Method(control, "forward", False)
    for encoder in (comfy.clip_model.CLIPEncoder, comfy.text_encoders.t5.T5Stack):
        yield Method(encoder, "forward", False)
    yield Method(comfy.text_encoders.llama.Llama2_, "forward", False, _reads)
    for half in ("decode", "encode"):
        yield Method(comfy.ldm.models.autoencoder.AutoencodingEngine, half, True)
        yield Method(comfy.ldm.models.autoencoder.AutoencodingEngineLegacy, half, True)
        yield Method(comfy.taesd.taesd.TAESD, half, True)
        yield Method(comfy.ldm.wan.vae.WanVAE, half, True, _one_frame)


def _reads(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a language model reads a text; each token that it writes is a call of another length."""
    return kwargs.get("past_key_values") is None


def _one_frame(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a video's autoencoder is given a picture; the kernels of more frames take much longer than their launches."""
    frames = 2  # of batch, channels, frames, height, width
    return len(args) == 1 and isinstance(args[0], torch.Tensor) and args[0].dim() == 5 and args[0].shape[frames] == 1


def graphed(graphs: Graphs, of: Method, mode: Callable[[], str | None]) -> Callable[..., Any]:
    """The method with graphs; ``mode`` tells that of the job whose thread this is, None where it is no job's."""
    original = getattr(of.kind, of.name)

    @functools.wraps(original)
    def method(self: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        def eager() -> Any:
            return original(self, *args, **kwargs)

        if (made := mode()) is None or not of.takes(args, kwargs):
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
            repeatable=of.repeatable,
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
