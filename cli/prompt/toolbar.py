"""The line below the prompt: device, memory, queue, job and model, the most important first. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from rich.cells import cell_len

from comfyd.protocol import EngineInfo, Memory, Resident, StatusReply

from ..table import cut
from ..text import printable, size
from ..view import View

Piece = tuple[str, str]
"""A style and a text."""

_GAP: Piece = ("", "  ")
_CELLS = 8
_HIGH = 0.9
_MODELS = ("checkpoint", "model", "diffusion_model", "unet")


class Picture(Struct, frozen=True):
    """The daemon as it was seen last."""

    status: StatusReply | None = None
    """None: it has not answered yet, or is away."""
    away: str = ""
    """Why there is no status, in a few words."""
    residents: Sequence[Resident] = ()
    job: View | None = None
    """The job that runs, one of several."""


def toolbar(picture: Picture, width: int, *, mode: str = "", problem: str = "", blocks: str = "█░") -> list[Piece]:
    """The pieces that fit into the width: whole facts, those at the end are left out first."""
    if problem:
        return [("class:bottom-toolbar.problem", cut(printable(problem), width))]
    row: list[Piece] = []
    used = 0
    for fact in _facts(picture, mode, blocks):
        needed = sum(cell_len(text) for _, text in fact) + (len(_GAP[1]) if row else 0)
        if used + needed > width:
            break
        row += [*([_GAP] if row else []), *fact]
        used += needed
    return row


def _facts(picture: Picture, mode: str, blocks: str) -> Iterator[list[Piece]]:
    status = picture.status
    if status is None:
        yield [("", picture.away or "…")]
        return
    yield [("", _engine(status.engine))]
    if status.engine.memory is not None:
        yield _memory(status.engine.memory, blocks)
    if status.running or status.queued:
        yield [("", f"queue {status.queued}")]
    if picture.job is not None and status.running:
        yield [("", _job(picture.job, len(status.running)))]
    if models := _models(picture.residents):
        yield [("", models)]
    if mode:
        yield [("", mode)]


def _engine(engine: EngineInfo) -> str:
    """The device of an engine that is ready, else what it is about."""
    if engine.state == "ready":
        return printable(engine.device or (engine.memory.device if engine.memory else "ready"))
    share = f" {engine.fraction:.0%}" if engine.fraction is not None else ""
    return cut(printable(f"engine {engine.state}{share}" + (f": {engine.message}" if engine.message else "")), 60)


def _memory(memory: Memory, blocks: str) -> list[Piece]:
    """``VRAM ███░░░░░ 9.1 of 24.0 GB``."""
    share = min(memory.used / memory.total, 1.0) if memory.total else 0.0
    full = round(share * _CELLS)
    kind = "RAM" if memory.device.startswith("cpu") else "VRAM"
    style = "class:bar.high" if share >= _HIGH else "class:bar.full"
    bar = [(style, blocks[0] * full), ("class:bar.empty", blocks[1] * (_CELLS - full))]
    return [("", f"{kind} "), *bar, ("", f" {size(memory.used)} of {size(memory.total)}")]


def _job(view: View, running: int) -> str:
    """``job 7 KSampler 12/20``, and how many others run."""
    others = f" +{running - 1}" if running > 1 else ""
    node = view.running
    if node is None:
        return f"job {view.job}{others}"
    steps = f" {node.value}/{node.max}" if node.max else ""
    return f"job {view.job} {cut(printable(node.title or node.class_type), 24)}{steps}{others}"


def _models(residents: Sequence[Resident]) -> str:
    """The model that was used last, and how many more are resident."""
    found = sorted((each for each in residents if each.kind in _MODELS), key=lambda each: -each.last_used)
    if not found:
        return ""
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return cut(printable(found[0].name), 32) + more
