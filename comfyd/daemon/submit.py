"""From a Submit to a bound graph: waits for a catalogue, and has stale entries refreshed before anything is refused."""

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from comfyd.errors import ComfydError, EngineFailed, Refused
from comfyd.protocol import Describe, Described, Submit, Work

from . import listings
from .supervisor import Supervisor
from .threads import in_thread

if TYPE_CHECKING:
    from comfyd.journal import Journal
    from comfyd.workflow import Bound, Catalogue

_PATIENCE = 5.0  # seconds for the worker to look for new files; within a step, such as loading a model, it cannot
_LARGE = 500  # nodes from which on binding takes so long that it happens beside the loop


async def bound(request: Work, engine: Supervisor, journal: "Journal | None" = None) -> "Bound":
    """The graph with its overrides applied, checked; raises why it is refused, or why there is no engine to check it against."""
    catalogue = await engine.any_catalogue()
    last = journal.last_overrides(request.workflow) if journal is not None and _counts_on(request) else {}
    try:
        found = await _bind(request, catalogue, last)
    except Refused as refusal:
        return await _bind(request, await _fresh(engine, refusal), last)
    if not engine.live and (classes := await in_thread(lambda: listings.doubtful(found.graph, catalogue))):
        await engine.ready()
        return await _bind(request, await _described(engine, classes), last)
    return found


def bound_at_once(request: Submit, engine: Supervisor) -> "Bound | None":
    """The same for what most requests are, without a task of its own; None where something might have to be waited for.

    That is a start of the engine, a thread for what is large, or a fresh look at what would be refused.
    """
    catalogue = engine.catalogue
    if catalogue is None or not engine.live or engine.info.state != "ready":
        return None
    if not _is_quick(request) or _ui(request) is not None or _counts_on(request):
        return None
    try:
        return _prepared_and_bound(request, catalogue, {})
    except Refused:
        return None


def _counts_on(request: Work) -> bool:
    """Whether a value may be relative to that of the run before (``seed +1``)."""
    given = [*request.words, *(value for _, value in request.overrides)]
    return any(isinstance(value, str) and value[:1] in ("+", "-") and value[1:].isdecimal() for value in given)


async def _fresh(engine: Supervisor, refusal: Refused) -> "Catalogue":
    """A catalogue in which the reason of the refusal may be gone; raises the refusal where none can be had."""
    classes = list(getattr(refusal, "classes", ()))
    if not engine.live:
        try:
            await engine.ready()
        except ComfydError:
            raise refusal from None
    elif not classes:
        raise refusal
    try:
        return await _described(engine, classes)
    except EngineFailed:
        raise refusal from None
    except TimeoutError:
        refusal.message = f"{refusal.message.rstrip('.')}; the engine was too busy to look again, so try later if that is new."
        raise refusal from None


async def _described(engine: Supervisor, classes: list[str]) -> "Catalogue":
    """The catalogue with entries of these classes that the worker has just made."""
    if classes:
        answer = await asyncio.wait_for(engine.ask(lambda number: Describe(request=number, classes=classes)), _PATIENCE)
        assert isinstance(answer, Described)
        assert engine.catalogue is not None
        before, engine.catalogue = engine.catalogue, engine.catalogue.replace(answer.classes)
        if any(before.entry(name) != entry for name, entry in answer.classes.items()):
            await engine.keep_catalogue()
    assert engine.catalogue is not None
    return engine.catalogue


def _is_quick(request: Work) -> bool:
    """Whether the graph is neither large nor to be converted first."""
    return request.api is not None and len(request.api) < _LARGE


async def _bind(request: Work, catalogue: "Catalogue", last: dict[str, Any]) -> "Bound":
    """Bind beside the loop whatever takes long."""
    if _is_quick(request):
        return _prepared_and_bound(request, catalogue, last)
    return await in_thread(lambda: _prepared_and_bound(request, catalogue, last))


def _prepared_and_bound(request: Work, catalogue: "Catalogue", last: dict[str, Any]) -> "Bound":
    from comfyd.workflow import bind, prepare
    from comfyd.workflow.form import require_shallow

    require_shallow([request.api, request.overrides, extra_data(request)])
    return bind(
        prepare(request.api, request.ui, catalogue),
        request.overrides,
        catalogue,
        words=request.words,
        aliases=request.aliases,
        last=last,
        draws=request.api is None,
    )


async def with_values(request: Submit, ready: "Bound", engine: Supervisor) -> Submit:
    """The request whose UI form has the values as well, so that the saved files open in the editor as what made them."""
    ui, catalogue = _ui(request), engine.catalogue
    if ui is None or not ready.overrides or catalogue is None:
        return request
    from comfyd.workflow.reflected import reflected

    return msgspec.structs.replace(request, ui=await in_thread(lambda: reflected(ui, ready.graph, ready.overrides, catalogue)))


def _ui(request: Submit) -> dict[str, Any] | None:
    """The UI form, which a job that is run again has where the first run put it."""
    beside = request.extra_data.get("extra_pnginfo")
    found = request.ui or (beside.get("workflow") if isinstance(beside, dict) else None)
    return found if isinstance(found, dict) else None


def extra_data(request: Work) -> dict[str, Any]:
    """What the job's nodes are handed beside their inputs: the UI form too, which ComfyUI's nodes write into their files."""
    if request.ui is None:
        return request.extra_data
    before = request.extra_data.get("extra_pnginfo")
    return request.extra_data | {"extra_pnginfo": (before if isinstance(before, dict) else {}) | {"workflow": request.ui}}
