from pathlib import Path

import pytest

from comfyd.engine import choose, record
from comfyd.errors import EngineNotFound


def refuse(question):
    raise AssertionError(f"asked: {question}")


@pytest.fixture
def comfyui(home, make_comfyui):
    return make_comfyui(home / "mine")


def test_a_complete_checkout_is_recorded_without_asking(paths, comfyui, make_python):
    python = make_python(comfyui / "venv/bin/python")
    engine = choose.use(comfyui, paths, refuse)
    assert (engine.comfyui, engine.python, engine.managed) == (comfyui, python, False)
    assert record.read(paths) == comfyui


def test_a_relative_path_is_recorded_as_an_absolute_one(paths, comfyui, make_python, monkeypatch):
    make_python(comfyui / "venv/bin/python")
    monkeypatch.chdir(comfyui.parent)
    choose.use(Path("mine"), paths, refuse)
    assert record.read(paths) == comfyui


def test_missing_packages_are_installed_after_asking(paths, comfyui, make_python):
    python = make_python(comfyui / "venv/bin/python", modules=["zmq", "pip"])
    asked = []
    choose.use(comfyui, paths, lambda question: not asked.append(question))
    assert "needs msgspec, isal and zlib-ng in" in asked[0]
    assert "isal" in (python.parent / "python.pip").read_text()
    assert "pyzmq" not in (python.parent / "python.pip").read_text()


def test_a_no_changes_nothing(paths, comfyui, make_python):
    python = make_python(comfyui / "venv/bin/python", modules=["pip"])
    with pytest.raises(EngineNotFound, match="nothing was changed; run"):
        choose.use(comfyui, paths, lambda question: False)
    assert not (python.parent / "python.pip").exists()
    assert record.read(paths) is None


def test_a_no_to_what_only_makes_it_faster_still_chooses(paths, comfyui, make_python):
    make_python(comfyui / "venv/bin/python", modules=["zmq", "msgspec", "pip"])
    asked = []
    choose.use(comfyui, paths, lambda question: bool(asked.append(question)))
    assert "is faster with isal and zlib-ng in" in asked[0]
    assert record.read(paths) == comfyui


def test_uv_installs_where_there_is_no_pip(paths, comfyui, make_python, monkeypatch, tmp_path):
    python = make_python(comfyui / "venv/bin/python", modules=[])
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\necho "$@" >> "{python}.pip"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}:/bin:/usr/bin")
    choose.use(comfyui, paths, lambda question: True)
    assert f"pip install --python {python} pyzmq" in (python.parent / "python.pip").read_text()


def test_neither_pip_nor_uv(paths, comfyui, make_python, monkeypatch):
    make_python(comfyui / "venv/bin/python", modules=[])
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EngineNotFound, match="ensurepip"):
        choose.use(comfyui, paths, lambda question: True)


def test_an_installation_that_fails_says_what_to_run(paths, comfyui):
    python = comfyui / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        '#!/bin/sh\n[ "$1" = -m ] && { echo broken; exit 1; }\necho \'{"version": [3, 12], "torch": "2", "modules": ["pip"]}\'\n'
    )
    python.chmod(0o755)
    with pytest.raises(EngineNotFound, match=r"could not be installed .* -m pip install 'pyzmq") as caught:
        choose.use(comfyui, paths, lambda question: True)
    assert caught.value.detail == "broken\n"


def test_what_is_no_checkout_is_refused(paths, tmp_path):
    with pytest.raises(EngineNotFound, match=r"main\.py"):
        choose.use(tmp_path, paths, refuse)


def test_the_ranges_are_the_packages_own():
    assert choose.requirements(["pyzmq"])[0].startswith("pyzmq<")
    assert choose.requirements(["isal"]) == ["isal"] or choose.requirements(["isal"])[0].startswith("isal<")
