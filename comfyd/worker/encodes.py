"""Encodes of texts by content: what one node has had encoded, another has at once, in whatever workflow.

Results of nodes are kept by the nodes' inputs. Nodes of several kinds encode the same text, and some have inputs beside it (a
size, a guidance) that do not reach the encoder. Here the tokens count, and what the text encoder is made of: the model with its
patches and settings. Everybody gets tensors of their own, as from the encoder, because nodes change them in place.
"""

import functools
import numbers
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from types import FunctionType, MethodType
from typing import Any, NamedTuple

import torch
from comfy.model_patcher import ModelPatcher
from comfy.sd import CLIP

from .graphs import tree, weights
from .graphs.key import casts, switches
from .graphs.own import is_own, module_of
from .graphs.seen import size_of

_LIMIT = 64 * 1024**2  # bytes kept
_LARGE = 1024**2  # bytes of a token: embeddings are smaller, pictures that a text refers to are not
_METHODS = ("encode_token_weights", "encode", "process_tokens")
_FUNCTIONS = (FunctionType, MethodType)
_SET = {"manual_cast_dtype"}
"""What ComfyUI itself replaces in a text encoder."""
_looked_at: "weakref.WeakKeyDictionary[torch.nn.Module, tuple[int, bool]]" = weakref.WeakKeyDictionary()


class _Kept(NamedTuple):
    """A result as its structure and tensors of our own; it does not keep the model."""

    model: weakref.ref[torch.nn.Module]
    structure: Hashable
    tensors: list[torch.Tensor]


class Encodes:
    """Encodes by key, within a limit; those longest unused go first."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable, model: torch.nn.Module) -> Any:
        """A copy of what was kept for the model; None: nothing was."""
        found = self._kept.get(key)
        if found is None or found.model() is not model:
            return None
        self._kept.move_to_end(key)
        return tree.build(found.structure, [tensor.clone() for tensor in found.tensors])

    def keep(self, key: Hashable, model: torch.nn.Module, made: Any) -> None:
        """Keeps a copy, unless it would not be equal in every way."""
        try:
            structure, tensors = tree.flatten(made)
        except tree.Unsupported:
            return
        own = [tensor.clone() for tensor in tensors]
        if not all(map(_is_copy, own, tensors)):
            return
        self._drop(key)
        self._kept[key] = _Kept(weakref.ref(model), structure, own)
        self._size += size_of(own)
        while self._size > self._limit:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Lets go of all."""
        self._kept.clear()
        self._size = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._kept:
            self._size -= size_of(self._kept.pop(key).tensors)


def _is_copy(own: torch.Tensor, given: torch.Tensor) -> bool:
    return type(own) is type(given) and own.stride() == given.stride()


encodes = Encodes()


def install() -> None:
    """Wraps the text encoder's method to which all others lead."""
    CLIP.encode_from_tokens = _remembering(CLIP.encode_from_tokens)


def _remembering(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def encode_from_tokens(self: Any, tokens: Any, return_pooled: Any = False, return_dict: bool = False) -> Any:
        key = _key(self, tokens, return_pooled)
        if key is None:
            return original(self, tokens, return_pooled, return_dict)
        made = encodes.find(key, self.cond_stage_model)
        if made is None:
            made = original(self, tokens, return_pooled, return_dict=True)
            encodes.keep(key, self.cond_stage_model, made)
        if return_dict:
            return made
        return (made["cond"], made["pooled_output"]) if return_pooled else made["cond"]

    return encode_from_tokens


def _key(clip: Any, tokens: Any, return_pooled: Any) -> Hashable | None:
    """Everything that the result depends on, whatever form it is asked for in; None where that is not known."""
    if torch.is_grad_enabled() or casts() or not _is_plain(clip) or not _is_own(clip.cond_stage_model):
        return None
    try:
        structure, tensors = tree.flatten((tokens, clip.layer_idx, return_pooled == "unprojected"), _is_whole)
    except tree.Unsupported:
        return None
    if not all(map(_has_content, tensors)):
        return None
    model, patcher = clip.cond_stage_model, clip.patcher
    asked = structure, *map(_content, tensors)
    return id(model), weights.times_meddled(), patcher.patches_uuid, str(patcher.load_device), switches(), asked


def _is_plain(clip: Any) -> bool:
    """Whether the text encoder is ComfyUI's own, with nothing but weights patched."""
    patcher = clip.patcher
    if type(clip) is not CLIP or type(patcher) is not ModelPatcher or patcher.model is not clip.cond_stage_model:
        return False
    hooks = (clip.apply_hooks_to_conds, patcher.forced_hooks, patcher.current_hooks, patcher.hook_patches, patcher.hook_backup)
    code = (patcher.injections, patcher.is_injected, patcher.callbacks, patcher.wrappers, patcher.weight_wrapper_patches)
    return not any(hooks) and not any(code) and not patcher.object_patches.keys() - _SET


def _is_own(model: torch.nn.Module) -> bool:
    """Whether nothing but ComfyUI's code takes part in the model's calls; looked at again when a node pack's code has run."""
    looked_at, found = _looked_at.get(model, (-1, False))
    if looked_at != weights.times_meddled():
        found = _runs_own_code(model)
        _looked_at[model] = weights.times_meddled(), found
    return found


def _runs_own_code(model: torch.nn.Module) -> bool:
    return not weights.foreign(model) and all(_has_own_functions(part) for part in model.modules())


def _has_own_functions(part: torch.nn.Module) -> bool:
    """Whether the methods by which a text encoder is asked, and the functions that it was given, are known."""
    methods = (getattr(part, name, None) for name in _METHODS)
    given = (value for value in vars(part).values() if type(value) in _FUNCTIONS)
    return all(function is None or is_own(module_of(function)) for function in (*methods, *given))


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral)


def _has_content(tensor: torch.Tensor) -> bool:
    """Whether a tensor among the tokens can be told apart by its content."""
    return tensor.nbytes <= _LARGE and tensor.layout == torch.strided and not tensor.is_quantized


def _content(tensor: torch.Tensor) -> Hashable:
    data = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    return str(tensor.dtype), tuple(tensor.shape), bytes(data.numpy())
