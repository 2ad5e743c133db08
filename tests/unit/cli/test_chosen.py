"""Which ComfyUI a daemon gets, and whether the one that runs has it, with a client made of messages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from comfyd_cli.chosen import choose, require

from comfyd.errors import ComfydError, EngineNotFound, EngineNotInstalled, UsageError
from comfyd.protocol import EngineInfo, EngineState, StatusReply

from .conftest import Recorded


class Script:
    """A client whose daemon goes through these states of its engine, or raises."""

    def __init__(self, *engines: EngineInfo | ComfydError) -> None:
        self._engines = engines

    def stream(self, request: Any) -> Iterator[Any]:
        for engine in self._engines:
            if isinstance(engine, ComfydError):
                raise engine
            yield _status(engine) if engine.state == "ready" else EngineState(engine=engine)


def _status(engine: EngineInfo) -> StatusReply:
    return StatusReply(version="0", protocol=1, pid=1, started=0.0, socket="s", engine=engine, queued=0, running=[])


def answered(*engines: EngineInfo | ComfydError) -> Any:
    return Script(*engines)


LOOKING = EngineInfo(state="starting")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What passes for a ComfyUI."""
    folder = tmp_path / "my ComfyUI"
    folder.mkdir()
    for name in ("main.py", "nodes.py", "execution.py", "comfyui_version.py"):
        (folder / name).touch()
    return folder


def test_a_relative_path_is_where_the_user_is(checkout: Path, terminal: Recorded, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(checkout.parent)
    choose(terminal, "my ComfyUI")
    assert terminal.comfyui == checkout
    assert terminal.config.comfyui == str(checkout)


def test_what_is_no_comfyui_is_refused(checkout: Path, terminal: Recorded):
    with pytest.raises(EngineNotFound, match="There is no directory"):
        choose(terminal, str(checkout / "missing"))
    with pytest.raises(EngineNotFound, match="not a ComfyUI checkout"):
        choose(terminal, str(terminal.paths.data.parent.parent))
    assert terminal.comfyui is None


@pytest.mark.parametrize("state", ["starting", "ready"])
def test_the_same_one_is_fine_whatever_its_spelling(state: str, checkout: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(checkout)
    require(answered(LOOKING, EngineInfo(state=state, comfyui=str(checkout))), tmp_path / "link")


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        (EngineInfo(state="ready", comfyui="/other"), "with /other; comfyd restart --comfyui"),
        (EngineInfo(state="installing"), "the ComfyUI that it installs; comfyd restart"),
        (EngineNotInstalled("No ComfyUI was found."), r"\(No ComfyUI was found\); comfyd restart"),
    ],
)
def test_another_one_is_refused_with_the_fix(engine: Any, sentence: str, checkout: Path):
    with pytest.raises(UsageError, match=sentence):
        require(answered(LOOKING, engine), checkout)
