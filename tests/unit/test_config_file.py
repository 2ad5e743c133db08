"""The commented configuration file."""

import tomllib
from pathlib import Path

import pytest

from comfyd.config import Config, load, paths
from comfyd.config_file import completed, meanings, settings, toml


def test_every_setting_has_a_meaning() -> None:
    assert list(meanings()) == list(Config.__struct_fields__)


def test_a_new_file_names_every_setting_and_puts_none_into_force() -> None:
    text = completed("")
    assert tomllib.loads(text) == {}
    assert all(f"\n# {name} = " in text for name in Config.__struct_fields__)


def test_every_line_of_it_can_be_put_into_force_as_it_stands(tmp_path: Path) -> None:
    entries = [line[2:] for line in completed("").splitlines() if line.startswith("# ") and " = " in line and '"name' not in line]
    where = paths({"COMFYD_HOME": str(tmp_path)})
    where.config_file.write_text("\n".join(entries))
    loaded, default = load(where, {}), Config()
    assert {name: getattr(loaded, name) or None for name in Config.__struct_fields__} == {
        name: getattr(default, name) or None for name in Config.__struct_fields__
    }


def test_what_the_file_says_stays_and_what_it_lacks_is_added_once() -> None:
    text = completed("max_running = 2 # mine\n#history = 5\n")
    assert text.startswith("max_running = 2 # mine\n#history = 5\n")
    assert "# max_running =" not in text
    assert "# history =" not in text
    assert "# attempts = 2" in text
    assert completed(text) == text


def test_where_a_value_comes_from(tmp_path: Path) -> None:
    env = {"COMFYD_HOME": str(tmp_path), "COMFYD_MAX_QUEUE": "7"}
    where = paths(env)
    where.config_file.write_text("max_running = 2\nmax_queue = 9\n")
    found = {setting.name: (setting.value, setting.origin) for setting in settings(load(where, env), where, env)}
    assert found["max_running"] == (2, str(where.config_file))
    assert found["max_queue"] == (7, "COMFYD_MAX_QUEUE")
    assert found["attempts"] == (2, "default")


@pytest.mark.parametrize("value", ['a "b" \\ \x7f \n é 😀', ["--x=1", 'y"'], 3, 2.5, True, []])
def test_values_survive_toml(value: object) -> None:
    assert tomllib.loads(f"x = {toml(value)}") == {"x": value}
