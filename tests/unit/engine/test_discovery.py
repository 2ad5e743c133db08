import sys

import pytest

from comfyd.config import Config
from comfyd.engine import Engine, locate, managed, record
from comfyd.engine.discovery import USUAL_PLACES, find_comfyui
from comfyd.errors import EngineNotFound, EngineNotInstalled


@pytest.fixture
def managed_tree(paths, make_comfyui):
    tree = make_comfyui(managed.root(paths) / "0.30.0-abc")
    managed.write_marker(tree, managed.Marker("0.30.0", "test", "abc", "2026-01-01T00:00:00+00:00"))
    return tree


def test_the_setting_comes_first(home, paths, tmp_path, make_comfyui, managed_tree):
    configured = make_comfyui(tmp_path / "mine")
    record.write(paths, make_comfyui(tmp_path / "recorded"))
    make_comfyui(home / "ComfyUI")
    assert find_comfyui(Config(comfyui=str(configured)), paths) == configured


def test_then_the_recorded_choice(home, paths, tmp_path, make_comfyui, managed_tree):
    chosen = make_comfyui(tmp_path / "recorded")
    record.write(paths, chosen)
    make_comfyui(home / "ComfyUI")
    assert find_comfyui(Config(), paths) == chosen


@pytest.mark.parametrize("place", USUAL_PLACES)
def test_then_the_usual_places_of_the_home_directory(home, paths, make_comfyui, managed_tree, place):
    assert find_comfyui(Config(), paths) == managed_tree
    comfyui = make_comfyui(home / place)
    assert find_comfyui(Config(), paths) == comfyui


def test_an_installed_one_that_was_chosen_comes_before_the_home_directory(home, paths, make_comfyui, managed_tree):
    make_comfyui(home / "ComfyUI")
    record.write(paths, managed_tree)
    assert find_comfyui(Config(), paths) == managed_tree


@pytest.mark.parametrize("place", [".", *USUAL_PLACES])
def test_the_working_directory_is_never_considered(home, paths, make_comfyui, monkeypatch, tmp_path, place):
    working = tmp_path / "working"
    make_comfyui(working / place)
    monkeypatch.chdir(working)
    assert find_comfyui(Config(), paths) is None
    monkeypatch.chdir(make_comfyui(working / "deeper" / "ComfyUI"))
    assert find_comfyui(Config(), paths) is None


@pytest.mark.parametrize("relative", ["ComfyUI", "./ComfyUI", "."])
def test_a_relative_setting_is_refused(home, paths, make_comfyui, monkeypatch, tmp_path, relative):
    make_comfyui(tmp_path / "working" / "ComfyUI")
    monkeypatch.chdir(tmp_path / "working")
    with pytest.raises(EngineNotFound, match="relative"):
        find_comfyui(Config(comfyui=relative), paths)


def test_a_tilde_in_the_setting_is_the_home_directory(home, paths, make_comfyui):
    comfyui = make_comfyui(home / "odd/place")
    assert find_comfyui(Config(comfyui="~/odd/place"), paths) == comfyui


def test_a_wrong_setting_is_an_error_and_nothing_else_is_taken(home, paths, tmp_path, make_comfyui, managed_tree):
    with pytest.raises(EngineNotFound, match=r"no directory .*gone.*config\.toml"):
        find_comfyui(Config(comfyui=str(tmp_path / "gone")), paths)
    incomplete = make_comfyui(tmp_path / "incomplete")
    (incomplete / "nodes.py").unlink()
    with pytest.raises(EngineNotFound, match=r"not a ComfyUI checkout \(it has no nodes\.py\)"):
        find_comfyui(Config(comfyui=str(incomplete)), paths)


def test_the_directory_beside_is_suggested(home, paths, tmp_path, make_comfyui):
    inner = make_comfyui(tmp_path / "portable" / "ComfyUI")
    for near in (inner.parent, inner / "models"):
        near.mkdir(exist_ok=True)
        with pytest.raises(EngineNotFound, match=f"did you mean {inner}"):
            find_comfyui(Config(comfyui=str(near)), paths)


def test_a_recorded_checkout_that_is_gone_is_an_error_with_the_fix(home, paths, tmp_path, managed_tree):
    record.write(paths, tmp_path / "gone")
    with pytest.raises(EngineNotFound, match="comfyd engine use PATH"):
        find_comfyui(Config(), paths)


def test_a_recorded_managed_tree_that_is_gone_is_forgotten(home, paths, managed_tree):
    record.write(paths, managed.root(paths) / "0.29.0-old")
    assert find_comfyui(Config(), paths) == managed_tree


def test_an_unmarked_directory_among_the_managed_ones_is_not_taken(home, paths, make_comfyui):
    make_comfyui(managed.root(paths) / "half")
    assert find_comfyui(Config(), paths) is None


def test_nothing_found_says_how_to_install(home, paths, make_python):
    python = make_python(home / "python")
    with pytest.raises(EngineNotInstalled, match="comfyd engine install") as caught:
        locate(Config(python=str(python)), paths)
    assert caught.value.code == "engine-not-installed"


def test_nothing_found_and_no_torch_says_to_install_torch_first(home, paths, make_python, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(make_python(home / "python", torch="")))
    with pytest.raises(EngineNotFound, match=rf"{home}/python.* -m pip install 'comfyd\[engine\]'") as caught:
        locate(Config(), paths)
    assert caught.value.code == "engine-not-found"


def test_a_managed_engine_gets_the_users_base_directory(home, paths, managed_tree, make_python):
    python = make_python(home / "python")
    base = ("--base-directory", str(paths.data / "comfyui"))
    assert locate(Config(python=str(python)), paths) == Engine(managed_tree, python, True, "0.30.0", base)


def test_extra_model_paths_beside_the_users_models_are_handed_on(home, paths, managed_tree, make_python):
    extra = paths.data / "comfyui" / "extra_model_paths.yaml"
    extra.parent.mkdir(parents=True)
    extra.touch()
    args = locate(Config(python=str(make_python(home / "python"))), paths).args
    assert args[-2:] == ("--extra-model-paths-config", str(extra))


def test_a_checkout_of_the_users_own_gets_no_arguments_and_its_own_interpreter(home, paths, make_comfyui, make_python):
    comfyui = make_comfyui(home / "ComfyUI", "0.29.0")
    python = make_python(comfyui / ".venv/bin/python")
    engine = locate(Config(), paths)
    assert (engine.comfyui, engine.python, engine.managed, engine.args) == (comfyui, python, False, ())
    assert "0.29.0" in engine.notice


def test_missing_worker_packages_are_named_with_the_fix(home, paths, make_comfyui, make_python):
    comfyui = make_comfyui(home / "ComfyUI")
    make_python(comfyui / "venv/bin/python", modules=["pip"])
    with pytest.raises(EngineNotFound, match=f"lacks pyzmq and msgspec; `comfyd engine use {comfyui}`"):
        locate(Config(), paths)


def test_the_record_moves_with_the_data_directory(paths, managed_tree, tmp_path):
    record.write(paths, managed_tree)
    moved = tmp_path / "moved"
    paths.data.parent.rename(moved)
    after = type(paths)(**{name: moved / name for name in ("config_file", "state", "cache", "run")}, data=moved / "data")
    assert record.read(after) == managed.root(after) / managed_tree.name


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"comfyui": 3}'])
def test_a_damaged_record_counts_as_none(paths, text):
    paths.data.mkdir(parents=True)
    (paths.data / "engine.json").write_text(text)
    assert record.read(paths) is None


def test_locating_writes_nothing(home, paths):
    assert find_comfyui(Config(), paths) is None
    assert not paths.data.exists()
