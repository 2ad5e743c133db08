"""The diffusion model's call (``BaseModel._apply_model``) as a call that can become a graph, or why it cannot."""

import functools
import weakref
from collections.abc import Callable, Hashable
from typing import Any

import comfy.model_management
from comfy.patcher_extension import WrappersMP, get_all_wrappers

from . import weights
from .calls import Call, Graphs
from .options import StepBlind, graphable
from .own import module_of

_PAYS = 12  # steps from which a capture (as long as about seven eager calls of a small model) pays in the same run
_NAMES = ("x", "t", "c_concat", "c_crossattn", "control")
_CONTROL = _NAMES.index("control")
_REPLACEABLE = frozenset({"latent_format", "model_sampling"})
"""What a patcher may put into the model: it takes no part in the call, or is told apart by the key."""
_SCALARS = (str, int, float, bool, type(None))


def apply_model(graphs: Graphs, guider: Any, mode: str, executor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the rest of the ``APPLY_MODEL`` chain gives, eagerly or from a graph."""
    model = executor.class_obj
    owner = weights.of(model, graphs.died)
    label = type(model.diffusion_model).__name__
    sampling = weights.of(model.model_sampling, graphs.died)
    reason = _why_not(model, guider, executor, args) or owner.reason or sampling.reason

    if reason:
        return graphs.eagerly(owner.owner, label, reason, lambda: executor(*args, **kwargs))

    def eager() -> Any:
        return executor(*args[:_CONTROL], own_residuals(args[_CONTROL]), *args[_CONTROL + 1 :], **kwargs)

    arguments = dict(zip(_NAMES, args, strict=False)) | {"options": graphable(args[5]), "more": kwargs}
    run = _short_run(executor, args[5])
    call = Call(
        owner.owner,
        owner.epoch,
        label,
        arguments,
        _function(executor.original),
        eager,
        others=(sampling.owner,),
        switches=(mode, sampling.epoch, *_settings(model)),
        run=run,
        compiled=owner.compiled,
        mode=mode,
        again=_again(graphs, executor.original) if run else None,
    )
    return graphs.run(call)


def own_residuals(control: Any) -> Any:
    """ControlNet's residuals for one call, which takes them out of their lists, so that another can be made with the same."""
    if not isinstance(control, dict):
        return control
    return {name: list(residuals) if isinstance(residuals, list) else residuals for name, residuals in control.items()}


def _settings(model: Any) -> tuple[Any, ...]:
    """The types it computes in, and the numbers of its sampling."""
    numbers = (item for item in vars(model.model_sampling).items() if isinstance(item[1], _SCALARS))
    return model.manual_cast_dtype, model.get_dtype(), *numbers


def _again(graphs: Graphs, original: Callable[..., Any]) -> Callable[[], Callable[[dict[str, Any]], Any] | None] | None:
    """See Call; None where the call is not a model's own method."""
    model, method = getattr(original, "__self__", None), getattr(original, "__func__", None)
    if model is None or method is None:
        return None
    alive, before = weakref.ref(model), _state(graphs, model)

    def again() -> Callable[[dict[str, Any]], Any] | None:
        model = alive()
        if model is None:
            return None
        weights.look_again()
        patcher = _patcher(model)
        if patcher is None or _patches(patcher) or _state(graphs, model) != before:
            return None
        return _function(functools.partial(method, model))

    return again


def _state(graphs: Graphs, model: Any) -> Hashable:
    """What makes a call of the model another one."""
    owner, sampling = (weights.of(module, graphs.died) for module in (model, model.model_sampling))
    return owner.epoch, owner.reason, sampling.owner, sampling.epoch, sampling.reason, _settings(model)


def _patcher(model: Any) -> Any:
    """For which the model is loaded; None: it is not."""
    loaded = (entry.model for entry in comfy.model_management.current_loaded_models)
    return next((patcher for patcher in loaded if patcher is not None and patcher.model is model), None)


def _short_run(executor: Any, options: dict[str, Any]) -> Any:
    """The run by the wrapper that was made for it; None where a capture pays within it."""
    sigmas = options.get("sample_sigmas")
    return None if sigmas is None or len(sigmas) > _PAYS else weakref.ref(executor.wrappers[executor.idx])


def _function(original: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    def function(arguments: dict[str, Any]) -> Any:
        options = StepBlind(arguments["options"])
        return original(*(arguments[name] for name in _NAMES), options, **arguments["more"])

    return function


def _why_not(model: Any, guider: Any, executor: Any, args: tuple[Any, ...]) -> str:
    """Why the call must run eagerly; empty: as far as can be seen from outside it need not."""
    patcher = model.current_patcher
    if patcher is None or patcher.model is not model or len(args) != 6 or not isinstance(args[5], dict):
        return "it is called in an unknown way"
    if not _on_gpu(args[0]):
        return f"it runs on {args[0].device}"
    if "model_function_wrapper" in guider.model_options:
        return "a node has wrapped its call"
    return _patches(patcher) or _wrappers(executor, args[5])


def _on_gpu(x: Any) -> bool:
    return bool(x.is_cuda and not x.requires_grad)


def _patches(patcher: Any) -> str:
    if patcher.is_dynamic() or patcher.model.model_lowvram:
        return "its weights are loaded call by call"
    if patcher.injections or patcher.is_injected:
        return "a node has changed its modules"
    if patcher.current_hooks or patcher.forced_hooks:
        return "hooks change its weights from step to step"
    if any(patcher.callbacks.values()):
        return "a node is called back in its runs"
    found = patcher.object_patches.keys() - _REPLACEABLE
    return f"a node has replaced its {min(found)}" if found else ""


def _wrappers(executor: Any, options: dict[str, Any]) -> str:
    """Those within could be frozen; one around it may have replaced a part for the time of the call."""
    others = [wrapper for place, wrapper in enumerate(executor.wrappers) if place != executor.idx]
    others += get_all_wrappers(WrappersMP.DIFFUSION_MODEL, options)
    return f"{module_of(others[0])} wraps it" if others else ""
