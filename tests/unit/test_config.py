"""Settings and paths."""

import os
from pathlib import Path

import pytest

from comfyd import config
from comfyd.config import Config, hand_on, load, paths, private_directory, received
from comfyd.errors import ConfigError


def write(home: Path, text: str) -> config.Paths:
    where = paths({"COMFYD_HOME": str(home)})
    home.mkdir(parents=True, exist_ok=True)
    where.config_file.write_text(text, errors="surrogateescape")
    return where


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load(paths({"COMFYD_HOME": str(tmp_path)}), {}) == Config()


def test_the_environment_outranks_the_file(tmp_path: Path) -> None:
    where = write(tmp_path, 'max_running = 2\nmax_queue = 7\nengine_args = ["--cpu"]\n')
    env = {"COMFYD_MAX_RUNNING": "3", "COMFYD_AUTO_INSTALL": "false", "COMFYD_CANCEL_GRACE": "0.5"}
    loaded = load(where, env)
    assert (loaded.max_running, loaded.max_queue, loaded.engine_args) == (3, 7, ["--cpu"])
    assert (loaded.auto_install, loaded.cancel_grace) == (False, 0.5)


def test_engine_arguments_in_the_environment_are_split(tmp_path: Path) -> None:
    loaded = load(paths({"COMFYD_HOME": str(tmp_path)}), {"COMFYD_ENGINE_ARGS": "--cpu --base-directory '/a b'"})
    assert loaded.engine_args == ["--cpu", "--base-directory", "/a b"]
    with pytest.raises(ConfigError, match="COMFYD_ENGINE_ARGS ends inside a quote"):
        load(paths({"COMFYD_HOME": str(tmp_path)}), {"COMFYD_ENGINE_ARGS": "--base-directory '/a b"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_runing = 3", "did you mean 'max_running'"),
        ("zzz = 3", "'zzz'; there are comfyui, python"),
        ('max_running = "many"', "max_running in"),
        ("max_running =", "cannot be read"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    where = write(tmp_path, text)
    with pytest.raises(ConfigError, match=words) as caught:
        load(where, {})
    assert str(where.config_file) in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_running", "0"),
        ("attempts", "0"),
        ("max_queue", "-1"),
        ("history", "-1"),
        ("worker_restarts", "-1"),
        ("cancel_grace", "-1"),
        ("progress_deadline", "nan"),
        ("cache_ram", "inf"),
        ("cache_vram", "-0.5"),
        ("models_ram", "1e30"),
    ],
)
def test_a_number_nothing_could_run_with_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"COMFYD_{name.upper()} has a wrong value \(expected"):
        load(paths({"COMFYD_HOME": str(tmp_path)}), {f"COMFYD_{name.upper()}": value})


def test_a_wrong_variable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="The variable COMFYD_MAX_QUEUE"):
        load(paths({"COMFYD_HOME": str(tmp_path)}), {"COMFYD_MAX_QUEUE": "a lot"})


def test_paths_follow_xdg() -> None:
    where = paths({"HOME": "/h", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r"})
    assert where.config_file == Path("/h/.config/comfyd/config.toml")
    assert (where.journal, where.log) == (Path("/s/comfyd/journal.sqlite"), Path("/s/comfyd/comfyd.log"))
    assert (where.socket, where.address) == (Path("/r/comfyd/comfyd.sock"), "ipc:///r/comfyd/comfyd.sock")


def test_one_variable_puts_everything_in_one_place() -> None:
    where = paths({"COMFYD_HOME": "/c", "XDG_STATE_HOME": "/s", "HOME": "/h"})
    assert {path.parts[1] for path in (where.config_file, where.data, where.state, where.cache, where.run)} == {"c"}


def test_a_path_too_long_for_a_socket_is_replaced_by_a_short_one() -> None:
    long = "/" + "x" * 200
    where = paths({"COMFYD_HOME": long})
    assert len(os.fsencode(where.socket)) < 108
    assert where.run == paths({"COMFYD_HOME": long}).run != paths({"COMFYD_HOME": long + "y"}).run


def test_another_process_gets_exactly_what_this_one_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, where = Config(max_running=9, engine_args=["--cpu"]), paths({"COMFYD_HOME": str(tmp_path)})
    for name, value in hand_on(mine, where).items():
        monkeypatch.setenv(name, value)
    assert received() == (mine, where)
    assert not any(name in os.environ for name in hand_on(mine, where))


def test_a_private_directory_is_private(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "run"
    assert private_directory(directory).stat().st_mode & 0o777 == 0o700
    directory.chmod(0o755)
    assert private_directory(directory).stat().st_mode & 0o777 == 0o700


def test_somebody_elses_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        private_directory(tmp_path)
