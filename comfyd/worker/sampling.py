"""Where a sampler meets the step loop: every model call is a step, and what is in use is not changed under a waiting job.

``CFGGuider`` is wrapped so that samplers run unchanged in their job's thread: ``sample`` takes the leases, because it changes the
guider and registers hooks with the patcher before anything runs, and ``outer_sample`` sets an ``APPLY_MODEL`` wrapper, ComfyUI's
own hook, as the point where a call is handed in and waits for its turn.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import comfy.model_management
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from comfy.samplers import CFGGuider

from comfyd.modes import FAST

from . import merging
from .fast import wiring as fast
from .graphs import wiring as graphs
from .graphs.foreign import takes_part
from .job import JobRun, current_job
from .leases import Leases


def install(graph_memory: int = 0) -> None:
    """Wraps the two methods; guiders outside of a job are left alone. ``graph_memory``: bytes for graphs, 0: a share of VRAM."""
    merging.install()
    graphs.install(graph_memory, _mode, fast.standing_in)
    leases = Leases()
    CFGGuider.sample = _leasing(CFGGuider.sample, "original_conds", leases)
    # A guider that overrides ``sample`` comes here without leases.
    CFGGuider.outer_sample = _leasing(_meeting(CFGGuider.outer_sample), "conds", leases)
    CFGGuider.inner_sample = _noted(CFGGuider.inner_sample)


def _mode() -> str | None:
    """The mode of the job whose thread this is; None: it is no job's."""
    job = current_job()
    return job.mode if job is not None and job.owns_thread() else None


def _leasing(original: Callable[..., Any], conds: str, leases: Leases) -> Callable[..., Any]:
    @functools.wraps(original)
    def leased(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = current_job()
        if job is None:
            return original(self, *args, **kwargs)
        with _lease(leases, job, self, getattr(self, conds)):
            return original(self, *args, **kwargs)

    return leased


def _meeting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def outer_sample(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = current_job()
        if job is None:
            return original(self, *args, **kwargs)
        meddling = takes_part(self, args, kwargs)
        if job.mode == FAST:
            fast.prepare(self.model_patcher.model)
        meet = functools.partial(_meet, job, self, meddling)
        add_wrapper_with_key(WrappersMP.APPLY_MODEL, "comfyd", meet, self.model_options, is_model_options=True)
        try:
            return original(self, *args, **kwargs)
        finally:
            if meddling:
                graphs.meddled()

    return outer_sample


def _noted(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def inner_sample(self: Any, *args: Any, **kwargs: Any) -> Any:
        if job := current_job():
            job.samples()
        return original(self, *args, **kwargs)

    return inner_sample


def _lease(leases: Leases, job: JobRun, guider: Any, conds: dict[str, list[Any]]) -> AbstractContextManager[None]:
    """Waits until the job may have what the guider's run depends on; nothing for a guider it has leased already."""
    if leases.holds(id(guider), job.id):
        return nullcontext()
    wanted = _wanted(guider, job, conds)
    if not leases.free(wanted, job.id):
        job.wait_until(lambda: leases.free(wanted, job.id))
    return leases.hold(wanted, job.id)


def _wanted(guider: Any, job: JobRun, conds: dict[str, list[Any]]) -> dict[int, object]:
    """What the guider's run depends on, and for whom: its model by patcher, what is changed in place by job."""
    every = [cond for group in conds.values() for cond in group]
    in_place = [cond[name] for cond in every for name in ("control", "gligen", "hooks") if cond.get(name) is not None]
    own: object = ("job", job.id)
    alone = in_place or _has_python_patches(guider)
    wanted = {id(guider): own, id(guider.model_patcher.model): own if alone else ("patcher", id(guider.model_patcher))}
    return wanted | {id(thing): own for control in in_place for thing in _chain(control)}


def _has_python_patches(guider: Any) -> bool:
    """Whether functions of node packs take part, which may keep the state of one run."""
    patcher, options = guider.model_patcher, guider.model_options
    patches = (patcher.callbacks, patcher.wrappers, patcher.injections, options.get("transformer_options"))
    return any(patches) or any(name != "transformer_options" for name in options)


def _chain(control: Any) -> Iterator[Any]:
    """A ControlNet and those it is stacked on."""
    while control is not None:
        yield control
        control = getattr(control, "previous_controlnet", None)


def _meet(job: JobRun, guider: Any, meddling: bool, executor: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Hands the call in: lets the other jobs step, then goes on with the weights as this job left them."""
    if job.owns_thread():
        job.called_model()
        if meddling:
            graphs.meddled()
        patcher = guider.model_patcher
        before, hooks = patcher.model.current_patcher, patcher.current_hooks
        if job.checkpoint():
            graphs.look_again()
            _ensure_loaded([patcher, *getattr(guider, "loaded_models", [])])
            patcher.model.current_patcher = before
            if patcher.current_hooks is not hooks:
                patcher.apply_hooks(hooks)
        return graphs.apply_model(guider, job.mode, executor, args, kwargs)
    return executor(*args, **kwargs)


def _ensure_loaded(patchers: list[Any]) -> None:
    """Loads again what another job's node has made the engine unload or repatch meanwhile, ControlNets included."""
    loaded = {id(entry.model) for entry in comfy.model_management.current_loaded_models}
    if any(id(patcher) not in loaded for patcher in patchers):
        comfy.model_management.load_models_gpu(patchers)
