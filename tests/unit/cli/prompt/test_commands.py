"""The session's commands with a catalogue and no daemon."""

import json
from pathlib import Path
from typing import Any

import pytest
from comfyd_cli.prompt import pictures, repeating
from comfyd_cli.prompt.script import run_lines, whole
from comfyd_cli.prompt.session import Session

from comfyd.errors import FileNotUsable, InvalidName, InvalidValue, UnknownParameter, UsageError
from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, Document, load, prepare
from tests.unit.cli.completion.conftest import CATALOGUE
from tests.unit.workflow.convert.saved import ONE, Canvas

from .conftest import printed, said


def test_two_names_of_one_parameter_are_one_value(session: Session):
    session.run_line("set seed 1 steps 9")
    session.run_line("set 5.seed 2")
    assert session.values == {"steps": "9", "5.seed": "2"}
    session.run_line("unset seed")
    assert session.values == {"steps": "9"}
    with pytest.raises(UsageError, match="'seed' is not set; set are steps"):
        session.run_line("unset seed")


def test_set_refuses_what_the_catalogue_shows_to_be_wrong(session: Session):
    with pytest.raises(InvalidValue, match="from 1 to 10000"):
        session.run_line("set steps 0")
    with pytest.raises(UnknownParameter, match="did you mean 'steps'"):
        session.run_line("set stesp 4")
    assert session.values == {}


def test_diff_shows_what_differs(session: Session):
    session.run_line("set seed 42 steps 9")
    session.run_line("diff --json")
    changes = json.loads(printed(session)[-1])["changes"]
    assert changes == [{"name": "steps", "address": "5.steps", "workflow": 8, "now": 9}]
    session.run_line("reset")
    session.run_line("diff")
    assert said(session) == ["Nothing differs from the workflow's own values."]


def test_show_marks_what_was_set_by_any_name(session: Session):
    session.run_line("set 5.seed 7")
    session.run_line("show")
    assert any("* 7" in line for line in printed(session))


def test_help_on_a_command_and_on_a_parameter(session: Session):
    session.run_line("help sampler")
    page = "\n".join(printed(session))
    assert "5.sampler_name" in page
    assert "euler" in page
    session.run_line("help more")
    assert any("other seeds" in line for line in printed(session))
    with pytest.raises(UsageError, match="did you mean"):
        session.run_line("help samper")


# ---------------------------------------------------------------- save, fetch


def test_save_keeps_values_and_aliases_but_draws_nothing(session: Session):
    session.run_line('set prompt "a {red|green} fox" seed random steps 9')
    session.run_line("save fox")
    session.run_line("use fox")
    index = session.index()
    assert index is not None
    values = {parameter.address: parameter.value for parameter in index.parameters}
    assert (values["2.text"], values["5.seed"], values["5.steps"]) == ("a {red|green} fox", 42, 9)
    session.run_line("workflow alias fox mood 2.text")
    session.run_line("set mood grim")
    session.run_line("save grim")
    session.run_line("use grim")
    assert session.document().aliases == {"mood": "2.text"}
    with pytest.raises(InvalidName, match="already"):
        session.run_line("save fox")
    with pytest.raises(InvalidName, match="is a command"):
        session.run_line("save queue")


def _saved(session: Session, ui: dict[str, Any], line: str, api: Graph | None = None) -> Document:
    """The editor's workflow as it is stored with the values of a line."""
    file = session.terminal.paths.cache / "edited.json"
    file.write_text(json.dumps(ui if api is None else {"prompt": api, "workflow": ui}))
    session.run_line(f"use {file}")
    session.run_line(line)
    session.run_line("save edited")
    return load("edited", store=session.terminal.paths.workflows)


def _sampler() -> Canvas:
    canvas = Canvas()
    canvas.node(5, "KSampler", ["seed=:INT", "steps=:INT"], [1, "fixed", 8, 3.0, "euler", "normal", 1])
    canvas.node(6, "SaveImage", ["images"], ["x"])
    return canvas


def test_save_puts_values_into_the_editors_widgets(session: Session):
    found = _saved(session, _sampler().workflow(), "set 5.seed 42 5.cfg 4.5")
    assert found.api is None
    assert found.ui is not None
    assert found.ui["nodes"][0]["widgets_values"] == [42, "fixed", 8, 4.5, "euler", "normal", 1]


def test_save_says_the_same_in_both_forms(session: Session):
    ui = _sampler().workflow()
    found = _saved(session, ui, "set 5.seed 42", api=prepare(None, ui, Catalogue.read(CATALOGUE)))
    assert found.api is not None
    assert found.api["5"]["inputs"]["seed"] == 42
    assert found.ui is not None
    assert found.ui["nodes"][0]["widgets_values"][0] == 42


def test_save_leaves_out_an_editors_form_that_cannot_hold_the_values(session: Session):
    twice = Canvas()
    twice.node(1, ONE)
    twice.node(2, ONE)
    found = _saved(session, twice.workflow(_sampler().subgraph(ONE, [], [])), "set 1:5.seed 42")
    assert found.ui is None
    assert found.api is not None
    assert [found.api[id_]["inputs"]["seed"] for id_ in ("1:5", "2:5")] == [42, 1]
    assert "kept in API format" in said(session)[0]


def test_fetch_in_a_script_sets_the_values(session: Session, tmp_path: Path):
    graph = json.loads(json.dumps(session.document().api))
    graph["5"]["inputs"]["seed"] = 5
    (tmp_path / "picture.json").write_text(json.dumps(graph))
    session.run_line("set steps 12")
    session.run_line(f"fetch {tmp_path}/picture.json")
    assert session.workflow == "demo"
    assert session.values == {"steps": "8", "seed": "5"}


def test_fetch_of_another_workflow_goes_on_with_it(session: Session, tmp_path: Path):
    graph = dict(session.document().api or {})
    graph["8"] = {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "other"}}
    file = tmp_path / "picture.json"
    file.write_text(json.dumps(graph))
    session.interactive = True
    session.run_line("set steps 12")
    session.run_line(f"fetch {file}")
    assert (session.workflow, session.values) == (str(file), {})
    assert session.edit_line == 'prompt "red apple" seed 42'


def test_a_lone_name_is_no_misspelt_command(session: Session):
    with pytest.raises(UsageError, match="'seed' has no value"):
        session.run_line("seed")
    with pytest.raises(UsageError, match="did you mean 'show'"):
        session.run_line("shwo")


# ---------------------------------------------------------------- scripts, every, open


def test_lines_with_texts_and_comments_are_numbered():
    lines = ["# it's\n", "\n", 'prompt """a\n', 'b"""\n', '# a """ b\n', "seed 1"]
    assert list(whole(lines)) == [(1, "# it's"), (2, ""), (3, 'prompt """a\nb"""'), (5, '# a """ b'), (6, "seed 1")]


def test_a_script_stops_at_the_first_line_that_fails(session: Session):
    assert run_lines(session, ["set steps 9\n", "set steps 0\n", "set seed 1\n"], "a.comfy") == 2
    assert session.values == {"steps": "9"}
    assert said(session)[-1] == "a.comfy:2: stopped at 'set steps 0'"
    assert run_lines(session, ["nonsense\n", "set seed 1\n"], "a.comfy", keep_going=True) == 2
    assert session.values == {"steps": "9", "seed": "1"}
    assert said(session)[-1] == "a.comfy:1: failed, going on after 'nonsense'"


def test_empty_lines_of_a_script_run_nothing(session: Session):
    assert run_lines(session, ["\n", "   \n", "# x\n"], "a.comfy") == 0


def test_source_reads_files_and_refuses_endless_ones(session: Session, tmp_path: Path):
    script = tmp_path / "a.comfy"
    script.write_text("set seed 1\nexit\nset seed 2\n")
    session.run_line(f"source {script}")
    assert session.values == {"seed": "1"}
    script.write_text(f"source {script}\n")
    assert session.run_line(f"source {script}") == 2
    assert any("files deep" in line for line in said(session))
    with pytest.raises(UsageError, match="There is no script"):
        session.run_line("source nothing.comfy")


def test_every_says_what_it_needs(session: Session):
    for line, fix in (("every", "needs SECONDS"), ("every 2", "needs"), ("every x ps", "every takes seconds")):
        with pytest.raises(UsageError, match=fix):
            session.run_line(line)


def test_every_ends_with_what_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []
    monkeypatch.setattr(repeating.time, "sleep", pauses.append)
    assert session.run_line("every 0.5 nonsense") == 2
    assert pauses == []


def test_open_starts_the_desktops_viewer(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    started: list[list[str]] = []
    monkeypatch.setattr(pictures, "_start", started.append)
    monkeypatch.setattr(pictures, "_viewer", lambda terminal: "/usr/bin/xdg-open")
    picture = tmp_path / "a.png"
    picture.touch()
    session.last_files = [str(picture)]
    session.run_line("open")
    assert started == [["/usr/bin/xdg-open", str(picture)]]
    with pytest.raises(FileNotUsable, match="There is no file"):
        session.run_line("open nothing.png")
