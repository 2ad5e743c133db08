"""The line below the prompt."""

import pytest
from comfyd_cli.prompt.toolbar import Picture, toolbar
from comfyd_cli.view import Running, View

from comfyd.protocol import EngineInfo, Memory, Resident, StatusReply

GIB = 1 << 30
MEMORY = Memory(device="cuda:0", used=18 * GIB, total=24 * GIB)


def status(engine: EngineInfo, *, queued: int = 0, running: tuple[int, ...] = ()) -> StatusReply:
    return StatusReply(
        version="1", protocol=2, pid=5, started=0.0, socket="", engine=engine, queued=queued, running=list(running)
    )


READY = EngineInfo(state="ready", device="NVIDIA H100", memory=MEMORY)
MODEL = Resident(name="sd15.safetensors", kind="checkpoint", size=GIB, device="cuda:0", last_used=2.0)
OTHER = Resident(name="old.safetensors", kind="checkpoint", size=GIB, device="cuda:0", last_used=1.0)
STEP = Running("5", "KSampler", "Base", 0.0, 12, 20)
BUSY = Picture(status=status(READY, queued=2, running=(7, 8)), residents=[OTHER, MODEL], job=View(0.0, job=7, running=STEP))


def text(picture: Picture, width: int = 200, **options: str) -> str:
    return "".join(piece for _, piece in toolbar(picture, width, **options))


def test_all_there_is():
    expected = "NVIDIA H100  VRAM ██████░░ 18.0 GB of 24.0 GB  queue 2  job 7 Base 12/20 +1  sd15.safetensors +1  exact"
    assert text(BUSY, mode="exact") == expected


@pytest.mark.parametrize("width", range(1, 120))
def test_facts_are_whole_or_left_out(width: int):
    shown = text(BUSY, width, mode="exact")
    assert len(shown) <= width
    assert text(BUSY, mode="exact").startswith(shown)
    assert not shown or shown.split("  ")[-1] in text(BUSY, mode="exact").split("  ")


def test_what_keeps_the_engine_from_being_ready():
    starting = EngineInfo(state="starting", message="loading custom nodes")
    assert text(Picture(status=status(starting))) == "engine starting: loading custom nodes"
    assert text(Picture(status=status(EngineInfo(state="installing", fraction=0.5)))) == "engine installing 50%"
    assert text(Picture(away="no daemon")) == "no daemon"
    assert text(Picture()) == "…"


def test_a_problem_takes_its_place():
    assert toolbar(BUSY, 20, problem="steps takes an integer from 1 on") == [
        ("class:bottom-toolbar.problem", "steps takes an inte…")
    ]


def test_memory_that_is_nearly_full_stands_out():
    full = Memory(device="cuda:0", used=23 * GIB, total=24 * GIB)
    styles = [style for style, _ in toolbar(Picture(status=status(EngineInfo(state="ready", memory=full))), 80)]
    assert "class:bar.high" in styles
