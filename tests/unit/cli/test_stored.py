"""The commands on named workflows, without a daemon."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from comfyd_cli import main

from comfyd.errors import ComfydError, InvalidName, UnknownParameter, UsageError, WorkflowNotFound

from .conftest import Recorded

CATALOGUE = Path(__file__).parents[1] / "workflow" / "catalogue.json"
UI = {"nodes": [{"id": 1, "type": "SaveImage"}, {"id": 2, "type": "\x1b[31mred"}], "links": [], "version": 0.4}


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """A workflow in UI form with a class name that would colour a terminal."""
    path = tmp_path / "my flow.json"
    path.write_text(json.dumps(UI))
    return path


def result(terminal: Recorded, *tokens: str) -> Any:
    """The line of JSON that a command ends in."""
    assert main.program(terminal, [*tokens, "--json"]) == 0
    return json.loads(terminal.out_lines[-1])


def test_add_names_it_after_its_file_and_prints_where_it_is(terminal: Recorded, flow: Path):
    assert main.program(terminal, ["workflow", "add", str(flow)]) == 0
    assert terminal.out_lines == [str(terminal.paths.workflows / "my-flow" / "workflow.json")]
    assert "comfyd run my-flow" in terminal.err_lines[0]
    (entry,) = result(terminal, "workflow", "list")["workflows"]
    assert (entry["name"], entry["form"], entry["nodes"], entry["origin"]) == ("my-flow", "UI", 2, str(flow))


def test_standard_input_needs_a_name(tmp_path: Path):
    terminal = Recorded(tmp_path, stdin=json.dumps(UI))
    with pytest.raises(UsageError, match="suggests no name"):
        main.program(terminal, ["workflow", "add", "-"])
    terminal = Recorded(tmp_path, stdin=json.dumps(UI))
    assert main.program(terminal, ["workflow", "add", "-", "piped"]) == 0
    assert result(terminal, "workflow", "show", "piped")["origin"] == "stdin"


def test_a_name_before_its_file_is_told_the_order(terminal: Recorded, flow: Path):
    with pytest.raises(UsageError, match=r"comes before its name: comfyd workflow add '.*my flow\.json' 'portrait'"):
        main.program(terminal, ["workflow", "add", "portrait", str(flow)])


@pytest.mark.parametrize("name", ["run", "exit", "workflow", "demo"])
def test_commands_and_built_in_workflows_keep_their_names(terminal: Recorded, flow: Path, name: str):
    with pytest.raises(InvalidName):
        main.program(terminal, ["workflow", "add", str(flow), name])


def test_show_and_list_let_nothing_through_to_the_terminal(terminal: Recorded, flow: Path):
    main.program(terminal, ["workflow", "add", str(flow), "flow"])
    main.program(terminal, ["workflow", "show", "flow"])
    main.program(terminal, ["workflow", "list"])
    assert "\x1b[31m" not in terminal.written.getvalue()
    assert "\\x1b[31mred" in terminal.written.getvalue()
    assert result(terminal, "workflow", "show", "flow")["ui"] == UI


def test_a_damaged_one_is_listed_as_such(terminal: Recorded, flow: Path):
    main.program(terminal, ["workflow", "add", str(flow), "flow"])
    (terminal.paths.workflows / "flow" / "workflow.json").write_text("{")
    main.program(terminal, ["workflow", "list"])
    assert "damaged" in terminal.out_lines[-1]


def test_aliases_are_kept_checked_and_forgotten(terminal: Recorded):
    main.program(terminal, ["workflow", "add", "demo", "mine"])
    assert main.program(terminal, ["workflow", "alias", "mine", "free", "anything.goes"]) == 0  # no catalogue, no judgement
    terminal.paths.cache.mkdir()
    shutil.copy(CATALOGUE, terminal.paths.cache / "catalogue-a.json")
    assert main.program(terminal, ["workflow", "alias", "mine", "sky", "2.text"]) == 0
    assert main.program(terminal, ["workflow", "alias", "mine", "noise", "seed"]) == 0
    with pytest.raises(UnknownParameter):
        main.program(terminal, ["workflow", "alias", "mine", "cloud", "2.txet"])
    with pytest.raises(UnknownParameter, match="did you mean 'sky'"):
        main.program(terminal, ["workflow", "unalias", "mine", "skj"])
    assert main.program(terminal, ["workflow", "unalias", "mine", "free"]) == 0
    assert result(terminal, "workflow", "show", "mine")["aliases"] == {"sky": "2.text", "noise": "seed"}


@pytest.mark.parametrize("alias", ["a.b", "3", "-x", "a b", "run", "set", "\x1b"])
def test_names_that_no_alias_can_have(terminal: Recorded, alias: str):
    main.program(terminal, ["workflow", "add", "demo", "mine"])
    with pytest.raises(ComfydError):
        main.program(terminal, ["workflow", "alias", "mine", alias, "2.text"])


def test_removing_several_removes_all_or_none(terminal: Recorded, flow: Path):
    for name in ("a", "b"):
        main.program(terminal, ["workflow", "add", str(flow), name])
    with pytest.raises(WorkflowNotFound):
        main.program(terminal, ["workflow", "rm", "a", "nope"])
    assert len(result(terminal, "workflow", "list")["workflows"]) == 2
    assert main.program(terminal, ["workflow", "rm", "a", "b", "a"]) == 0
    assert result(terminal, "workflow", "list")["workflows"] == []


def test_path(terminal: Recorded):
    main.program(terminal, ["workflow", "add", "demo", "mine"])
    main.program(terminal, ["workflow", "path", "mine"])
    assert json.loads(Path(terminal.out_lines[-1]).read_text())["5"]["class_type"] == "KSampler"


def test_params_takes_a_stored_name_and_says_which_of_two_it_took(
    terminal: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    terminal.paths.cache.mkdir()
    shutil.copy(CATALOGUE, terminal.paths.cache / "catalogue-a.json")
    main.program(terminal, ["workflow", "add", "demo", "mine"])
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("{}")
    assert result(terminal, "params", "mine")["parameters"]
    assert terminal.err_lines[-1] == "mine is the stored workflow; the file of that name is './mine'."
