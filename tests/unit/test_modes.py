"""Names of modes, and whose word counts."""

from pathlib import Path

import pytest

from comfyd.config import Config, load, paths
from comfyd.errors import ConfigError, InvalidValue
from comfyd.modes import MODES, chosen


def test_the_job_decides_and_then_the_daemon() -> None:
    assert chosen("", Config().mode) == "exact"
    assert chosen("", "fast") == "fast"
    assert chosen("exact", "fast") == "exact"
    assert tuple(Config.__annotations__["mode"].__args__) == MODES


def test_another_name_is_refused_in_one_sentence() -> None:
    with pytest.raises(InvalidValue, match=r"^There is no mode 'turbo'; give exact \(.*\) or fast \(.*\)\.$"):
        chosen("turbo", "exact")


def test_the_setting_is_one_of_them(tmp_path: Path) -> None:
    where = paths({"COMFYD_HOME": str(tmp_path)})
    assert load(where, {"COMFYD_MODE": "fast"}).mode == "fast"
    with pytest.raises(ConfigError, match=r"COMFYD_MODE has a wrong value \(invalid enum value 'turbo'\)"):
        load(where, {"COMFYD_MODE": "turbo"})
