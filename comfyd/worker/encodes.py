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
from typing import Any

import torch
from comfy.model_patcher import ModelPatcher
from comfy.sd import CLIP

from .graphs.key import casts, switches
from .graphs.own import is_own, module_of
from .graphs.weights import times_meddled

_LIMIT = 64 * 1024**2  # bytes kept
_LARGE = 1024**2  # bytes of a token: embeddings are smaller, pictures that a text refers to are not
_METHODS = ("encode_token_weights", "encode", "process_tokens", "forward")
_FUNCTIONS = (FunctionType, MethodType)
_SET = {"manual_cast_dtype"}
"""What ComfyUI itself replaces in a text encoder."""
_looked_at: "weakref.WeakKeyDictionary[torch.nn.Module, tuple[int, bool]]" = weakref.WeakKeyDictionary()


class Encodes:
    """Encodes by key, within a limit; those longest unused go first."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[weakref.ref[torch.nn.Module], Any]] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable, model: torch.nn.Module) -> Any:
        """A copy of what was kept for the model; None: nothing was."""
        owner, made = self._kept.get(key, (None, None))
        if owner is None or owner() is not model:
            return None
        self._kept.move_to_end(key)
        return copied(made)

    def keep(self, key: Hashable, model: torch.nn.Module, made: Any) -> None:
        """Keeps a copy, unless it would not be equal in every way."""
        own = copied(made)
        if own is None:
            return
        self._drop(key)
        self._kept[key] = weakref.ref(model), own
        self._size += _bytes(own)
        while self._size > self._limit:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Lets go of all."""
        self._kept.clear()
        self._size = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._kept:
            self._size -= _bytes(self._kept.pop(key)[1])


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
        asked = _form((tokens, clip.layer_idx, return_pooled == "unprojected"))
    except _NoForm:
        return None
    model, patcher = clip.cond_stage_model, clip.patcher
    return id(model), times_meddled(), patcher.patches_uuid, str(patcher.load_device), switches(), asked


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
    if looked_at != times_meddled():
        found = _runs_own_code(model)
        _looked_at[model] = times_meddled(), found
    return found


def _runs_own_code(model: torch.nn.Module) -> bool:
    return all(_has_own_code(type(part)) and not _is_changed(part) for part in model.modules())


def _is_changed(part: torch.nn.Module) -> bool:
    own = vars(part)
    given = (value for value in own.values() if type(value) in _FUNCTIONS)
    replaced = any(name in own for name in _METHODS) or not all(is_own(module_of(value)) for value in given)
    return replaced or bool(part._forward_hooks or part._forward_pre_hooks)


def _has_own_code(kind: type[torch.nn.Module]) -> bool:
    methods = (getattr(kind, name, None) for name in _METHODS)
    return is_own(kind.__module__) and all(method is None or is_own(module_of(method)) for method in methods)


class _NoForm(Exception):
    """Of a value that cannot be told apart by its content."""


def _form(value: Any) -> Hashable:
    match value:
        case None | bool() | str() | float():
            return value
        case numbers.Integral():
            return int(value)
        case torch.Tensor() if value.nbytes <= _LARGE and value.layout == torch.strided and not value.is_quantized:
            content = value.detach().cpu().contiguous().flatten().view(torch.uint8)
            return str(value.dtype), tuple(value.shape), bytes(content.numpy())
        case list() | tuple():
            return tuple(map(_form, value))
        case dict():
            return tuple((str(name), _form(item)) for name, item in value.items())
    raise _NoForm


def copied(made: Any) -> Any:
    """The same with tensors of its own; None where it has parts that cannot be had twice."""
    try:
        return _copy(made)
    except _NoForm:
        return None


def _copy(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case torch.Tensor() if type(value) is torch.Tensor:
            own = value.clone()
            if own.stride() == value.stride():
                return own
        case dict():
            return {name: _copy(item) for name, item in value.items()}
        case tuple() if type(value) is tuple:
            return tuple(map(_copy, value))
    raise _NoForm


def _bytes(made: Any) -> int:
    if isinstance(made, torch.Tensor):
        return int(made.nbytes)
    parts = made.values() if isinstance(made, dict) else made if isinstance(made, tuple) else ()
    return sum(map(_bytes, parts))
