"""A command's help names every environment variable that the command reads."""

from collections import UserDict
from collections.abc import Callable
from pathlib import Path

import pytest
from comfyd_cli.app import _READ_BY_ALL
from comfyd_cli.commands import SHELL
from comfyd_cli.main import guarded, program
from comfyd_cli.parse import find
from comfyd_cli.service import _text

from comfyd.config import Config

from .conftest import Recorded

SETTINGS = {f"COMFYD_{name.upper()}" for name in Config.__struct_fields__}


class Spied(UserDict[str, str]):
    """An environment that notes what is looked up."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.read.add(name)
        return super().get(name, default)


def unnamed(words: list[str], terminal: Recorded, act: Callable[[], int]) -> set[str]:
    """What the act read and the help of these words does not name."""
    spied = terminal.environ = Spied(dict(terminal.environ))
    guarded(terminal, act)
    named = {*find(words)[0].environment, *_READ_BY_ALL, "HOME"}
    return spied.read - named - (SETTINGS if "COMFYD_X" in named else set())


@pytest.mark.parametrize("elsewhere", [True, False], ids=["COMFYD_HOME", "XDG"])
@pytest.mark.parametrize(
    "line",
    [
        *("status", "stop", "logs", "queue --no-start", "history --no-start", "ps --no-start", "cancel 1 --no-start"),
        *("again 1 --no-start", "run demo --no-start", "plan demo --no-start", "watch 1 --no-start", "unload -a --no-start"),
        *("config show", "config path", "config edit", "engine status", "workflow list", "workflow path x", "nodes --no-start"),
        *("completions show bash", "service uninstall", "convert demo --no-start", "params demo --no-start"),
    ],
)
def test_what_a_command_reads_is_in_its_help(
    line: str, elsewhere: bool, terminal: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    if not elsewhere:
        terminal.environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert unnamed(line.split(), terminal, lambda: program(terminal, line.split())) == set()


def test_what_a_service_is_given_is_in_its_help(terminal: Recorded) -> None:
    def act() -> int:
        return len(_text(terminal)) and 0

    assert unnamed(["service", "print"], terminal, act) == set()


def test_every_command_of_the_shell_says_what_it_reads() -> None:
    assert [command.name for command in SHELL if not command.environment and command.name != "help"] == []
