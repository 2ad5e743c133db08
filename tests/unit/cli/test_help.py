"""Help pages are typer's, made from the table."""

import os
from pathlib import Path

import pytest
from comfyd_cli.app import application
from comfyd_cli.commands import REPL, SHELL
from comfyd_cli.help import help_, page
from comfyd_cli.main import program
from comfyd_cli.spec import Command
from rich.cells import cell_len
from typer.testing import CliRunner

from comfyd.errors import UsageError

from .conftest import Recorded

TABLES = pytest.mark.parametrize("commands", [SHELL, REPL], ids=["shell", "repl"])


@TABLES
def test_a_page_has_all_that_the_table_says(commands: tuple[Command, ...]):
    for command in commands:
        text = page(command.name.split(), 100, commands)
        words = " ".join(text.replace("│", " ").split())
        assert " ".join(command.summary.split()) in words
        for flag in (flag for option in command.options for flag in option.flags):
            assert flag in words
        for name in (*(argument.metavar for argument in command.arguments), *command.environment, *command.examples):
            assert name in words


def test_a_groups_page_names_what_its_commands_read():
    for command in SHELL:
        group, *rest = command.name.split()
        words = page([group], 100).split() if rest else command.environment
        assert {name for name in command.environment if name not in "".join(words)} == set()


@pytest.mark.parametrize("width", [40, 80, 100])
@TABLES
def test_no_line_is_wider_than_the_terminal(commands: tuple[Command, ...], width: int):
    for words in ([], ["run"], ["engine"], ["engine", "install"], ["logs"]):
        assert max(map(cell_len, page(words, width, commands).splitlines())) <= width


def test_usage():
    assert page(["run"], 80).splitlines()[0].strip().startswith("Usage: comfyd run [OPTIONS]")
    assert page(["run"], 80, REPL).splitlines()[0].strip().startswith("Usage: run [OPTIONS]")


@TABLES
def test_the_overview_names_every_command(commands: tuple[Command, ...]):
    text = page([], 80, commands)
    assert all(f" {command.name.split()[0]} " in text for command in commands)


def test_a_group_lists_its_members():
    text = page(["engine"], 80)
    assert all(f"│ {name} " in text for name in ("install", "use", "status", "remove"))


@pytest.mark.parametrize("forced", ["", "1"])
def test_a_pipe_and_no_color_get_plain_text(forced: str, terminal: Recorded, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORCE_COLOR", forced)
    monkeypatch.setenv("COLUMNS", "80")
    help_(terminal, command=["run"])
    assert "\n".join(terminal.out_lines).replace("\n", "").isprintable()
    assert os.environ["COLUMNS"] == "80"


def test_a_terminal_gets_colours(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch):
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in page(["run"], 80, colours=True)
    assert "COLUMNS" not in os.environ


@pytest.mark.parametrize("tokens", [["run", "--help"], ["run", "-h"], ["help", "run"], ["run", "demo", "-h"]])
def test_all_ways_lead_to_the_same_page(tokens: list[str], terminal: Recorded):
    program(terminal, tokens)
    assert "\n".join(terminal.out_lines) == page(["run"], min(terminal.columns, 100))


def test_the_application_is_an_ordinary_one_of_typer():
    result = CliRunner().invoke(application(), ["engine", "install", "--help"], prog_name="comfyd")
    assert result.exit_code == 0
    assert "--from" in result.output


def test_an_unknown_command():
    with pytest.raises(UsageError, match="did you mean 'run'"):
        page(["rnu"], 80)
    with pytest.raises(UsageError, match="one command"):
        page(["run", "stop"], 80)


CATALOGUE = Path(__file__).parent.parent / "workflow" / "catalogue.json"


def test_the_page_of_a_run_lists_the_workflows_own_parameters(terminal: Recorded):
    terminal.paths.cache.mkdir(parents=True)
    (terminal.paths.cache / "catalogue-1.json").write_bytes(CATALOGUE.read_bytes())
    assert program(terminal, ["run", "demo", "--help"]) == 0
    at = terminal.out_lines.index("Parameters of demo")
    assert "Usage: comfyd run" in "\n".join(terminal.out_lines[:at])
    assert [line.split()[:2] for line in terminal.out_lines[at + 2 : at + 5]] == [
        ["prompt", "2.text"],
        ["negative", "3.text"],
        ["seed", "5.seed"],
    ]


def test_without_a_catalogue_the_page_says_when_there_is_one(terminal: Recorded):
    assert program(terminal, ["run", "demo", "--help"]) == 0
    assert "comfyd start" in terminal.err_lines[-1]


def test_a_workflow_that_is_not_there_is_no_reason_for_no_help(terminal: Recorded):
    assert program(terminal, ["run", "nowhere.json", "--help"]) == 0
    assert "There is no workflow 'nowhere.json'" in terminal.err_lines[-1]
