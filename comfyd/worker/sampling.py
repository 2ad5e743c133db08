"""Where a sampler meets the step loop: every model call is a step, and weights in use are not changed under a waiting job.

``CFGGuider.outer_sample`` is wrapped so that samplers run unchanged in their job's thread; an ``APPLY_MODEL`` wrapper, ComfyUI's
own hook, is the point where a call is handed in and waits for its turn.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import comfy.model_management
import comfy.samplers
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key

from .job import JobRun, current_job
from .leases import Leases


def install() -> None:
    """Wraps ``CFGGuider.outer_sample``; guiders outside of a job are left alone."""
    leases = Leases()
    original = comfy.samplers.CFGGuider.outer_sample

    @functools.wraps(original)
    def outer_sample(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = current_job()
        if job is None:
            return original(self, *args, **kwargs)
        wanted = _wanted(self, job)
        if not leases.free(wanted):
            job.wait_until(lambda: leases.free(wanted))
        with leases.hold(wanted):
            meet = functools.partial(_meet, job, self.model_patcher)
            add_wrapper_with_key(WrappersMP.APPLY_MODEL, "comfyd", meet, self.model_options, is_model_options=True)
            return original(self, *args, **kwargs)

    comfy.samplers.CFGGuider.outer_sample = outer_sample


def _wanted(guider: Any, job: JobRun) -> dict[int, object]:
    """What the guider's run depends on, and for whom: its model by patcher, what is changed in place by job."""
    conds = [cond for group in guider.conds.values() for cond in group]
    in_place = [cond[name] for cond in conds for name in ("control", "gligen", "hooks") if cond.get(name) is not None]
    holder: object = ("job", job.id) if in_place else ("patcher", id(guider.model_patcher))
    wanted = {id(guider.model_patcher.model): holder}
    return wanted | {id(thing): ("job", job.id) for control in in_place for thing in _chain(control)}


def _chain(control: Any) -> Iterator[Any]:
    """A ControlNet and those it is stacked on."""
    while control is not None:
        yield control
        control = getattr(control, "previous_controlnet", None)


def _meet(job: JobRun, patcher: Any, executor: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Hands the call in: lets the other jobs step, then goes on with the weights as this job left them."""
    if job.owns_thread():
        before = patcher.model.current_patcher
        if job.checkpoint():
            _ensure_loaded(patcher)
            patcher.model.current_patcher = before
    return executor(*args, **kwargs)


def _ensure_loaded(patcher: Any) -> None:
    """Loads the patcher again where another job's node has made the engine unload or repatch it meanwhile."""
    if all(loaded.model is not patcher for loaded in comfy.model_management.current_loaded_models):
        comfy.model_management.load_models_gpu([patcher])
