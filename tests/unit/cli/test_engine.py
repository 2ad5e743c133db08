"""The engine commands, with an engine that does nothing."""

from pathlib import Path
from typing import Any

import pytest
from comfyd_cli import engine

from comfyd import engine as engine_package
from comfyd.engine import Engine, EngineStatus, Removed
from comfyd.errors import UsageError

from .conftest import Recorded

FOUND = Engine(Path("/data/engine/0.30.0"), Path("/usr/bin/python"), True, "0.30.0", notice="")


def test_an_installation_reports_what_it_does(terminal: Recorded, monkeypatch: pytest.MonkeyPatch):
    def install(paths: Any, source: str | None, progress: Any) -> Engine:
        for fraction in (0.1, 0.5, 1.0):
            progress("downloading ComfyUI\x1b", fraction)
        progress("unpacking", None)
        return FOUND

    monkeypatch.setattr(engine_package, "install", install)
    assert engine.install(terminal, source=None, yes=True) == 0
    assert terminal.err_lines == ["downloading ComfyUI\\x1b", "unpacking"]
    assert terminal.out_lines == ["ComfyUI 0.30.0 is in /data/engine/0.30.0"]


def test_nobody_to_ask_is_a_refusal(terminal: Recorded):
    with pytest.raises(UsageError, match="give --yes"):
        engine.install(terminal, source=None, yes=False)
    with pytest.raises(UsageError, match="give --yes"):
        engine.remove(terminal, yes=False)


@pytest.mark.parametrize(("answer", "removed"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_removal_asks(answer: str, removed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[Any] = []

    def remove(paths: Any) -> Removed:
        calls.append(paths)
        return Removed([Path("/data/engine/x")], 2**20, Path("/data/comfyui"))

    monkeypatch.setattr(engine_package, "remove", remove)
    terminal = Recorded(tmp_path, stdin=answer, tty=True)
    assert engine.remove(terminal, yes=False) == 0
    assert bool(calls) == removed
    assert ("1.0 MB" in terminal.written.getvalue()) == removed


def test_use_passes_the_question_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    answers: list[bool] = []

    def use(path: Path, paths: Any, ask: Any, python: str | None) -> Engine:
        answers.append(ask("The worker needs pyzmq. Install?"))
        return FOUND

    monkeypatch.setattr(engine_package, "use", use)
    terminal = Recorded(tmp_path, stdin="y\n", tty=True)
    assert engine.use(terminal, path="/my/ComfyUI", yes=False) == 0
    assert engine.use(terminal, path="/my/ComfyUI", yes=True) == 0
    assert answers == [True, True]
    assert "Install? [y/N]" in terminal.said.getvalue()


def test_status(terminal: Recorded, monkeypatch: pytest.MonkeyPatch):
    found = EngineStatus(FOUND, True, "3.12.1", "2.9", 2**30, Path("/data/comfyui"))
    monkeypatch.setattr(engine_package, "status", lambda config, paths: found)
    engine.status(terminal, json=False)
    assert "0.30.0 in /data/engine/0.30.0 (managed by comfyd, 1.0 GB)" in terminal.out_lines[0]
    engine.status(terminal, json=True)
    assert terminal.out_lines[-1].startswith('{"type":"EngineStatus","comfyui":"/data/engine/0.30.0"')
