import sys
from pathlib import Path

import pytest

from comfyd.engine import interpreter
from comfyd.errors import EngineNotFound


@pytest.mark.parametrize("place", ["venv/bin/python", ".venv/bin/python", "../python_embeded/python.exe"])
def test_a_checkouts_own_interpreter(tmp_path, make_python, place):
    comfyui = tmp_path / "ComfyUI"
    comfyui.mkdir()
    assert interpreter.choose(None, comfyui) == Path(sys.executable)
    make_python(comfyui / place)
    assert interpreter.choose(None, comfyui) == comfyui / place


def test_the_setting_comes_before_the_checkouts_own(tmp_path, make_python):
    make_python(tmp_path / "ComfyUI/venv/bin/python")
    configured = make_python(tmp_path / "other/python")
    assert interpreter.choose(str(configured), tmp_path / "ComfyUI") == configured


def test_a_setting_that_names_no_program_is_an_error(tmp_path):
    with pytest.raises(EngineNotFound, match="COMFYD_PYTHON"):
        interpreter.choose(str(tmp_path / "python"), None)


def test_this_interpreter_answers_for_itself():
    answer = interpreter.probe(Path(sys.executable))
    assert answer.version == sys.version_info[:2]
    assert answer.missing == []


def test_modules_in_the_working_directory_are_not_imported(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    (tmp_path / "torch").mkdir()
    monkeypatch.chdir(tmp_path)
    assert interpreter.probe(Path(sys.executable)).version == sys.version_info[:2]


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho hello\n", "#!/bin/sh\n", "no program"])
def test_an_interpreter_that_does_not_answer(tmp_path, script):
    python = tmp_path / "python"
    python.write_text(script)
    python.chmod(0o755)
    with pytest.raises(EngineNotFound, match="does not run"):
        interpreter.probe(python)


def test_an_old_interpreter_is_refused(tmp_path, make_python):
    python = interpreter.probe(make_python(tmp_path / "python", version=(3, 10)))
    with pytest.raises(EngineNotFound, match=r"is Python 3\.10, .* needs 3\.11"):
        interpreter.check(python, tmp_path)


def test_an_interpreter_without_torch_names_the_checkouts_requirements(tmp_path, make_python):
    python = interpreter.probe(make_python(tmp_path / "python", torch=""))
    with pytest.raises(EngineNotFound, match=rf"-m pip install -r {tmp_path}/requirements\.txt"):
        interpreter.check(python, tmp_path)
