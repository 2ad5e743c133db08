"""Which modules of a model are compiled each by itself: the repeated ones, whose calls are known to depend on tensors alone."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch


class Kind(NamedTuple):
    """A block class; ``options`` is the position of ``transformer_options`` among its arguments, None: it takes none."""

    forward: Any
    options: int | None


_WHOLE = 2
"""Layers up to which a transformer between two convolutions is compiled as one: its copies vanish, and it is still short."""


def blocks_of(root: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, Kind]]:
    """The blocks to compile, none of them within another; those that a node pack hooks into are left alone."""
    kinds = _kinds()
    todo = [root]
    while todo:
        module = todo.pop()
        kind = kinds.get(type(module))
        if kind is not None and not _hooked(module) and not _long(module):
            yield module, kind
        else:
            todo.extend(module.children())


def may_be_called_twice(decoder: torch.nn.Module) -> bool:
    """Whether it is one without such blocks whose calls are known to depend on tensors alone all the same."""
    from comfy.taesd.taesd import Decoder

    return isinstance(decoder, Decoder) and not _hooked(decoder)


def _hooked(module: torch.nn.Module) -> bool:
    return any("forward" in vars(part) or part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def _long(module: torch.nn.Module) -> bool:
    return len(getattr(module, "transformer_blocks", ())) > _WHOLE


def _kinds() -> dict[type, Kind]:
    from comfy.ldm.flux.layers import DoubleStreamBlock, SingleStreamBlock
    from comfy.ldm.modules.attention import BasicTransformerBlock, SpatialTransformer
    from comfy.ldm.modules.diffusionmodules.mmdit import JointBlock
    from comfy.ldm.modules.diffusionmodules.model import ResnetBlock
    from comfy.ldm.modules.diffusionmodules.openaimodel import ResBlock

    positions = {
        SpatialTransformer: 2,
        BasicTransformerBlock: 2,
        ResBlock: None,
        JointBlock: 99,
        DoubleStreamBlock: 7,
        SingleStreamBlock: 5,
        ResnetBlock: None,
    }
    return {kind: Kind(kind.forward, position) for kind, position in positions.items()}
