"""What REPL lines mean, with a stand-in for running."""

from typing import Any

import pytest
from comfyd_cli.prompt import running
from comfyd_cli.prompt.session import Leave, Session

from comfyd.errors import InvalidValue, UsageError
from comfyd.protocol import Submit

from .conftest import Recorded


class Runs:
    """Records what would run; refuses what it is told to."""

    def __init__(self) -> None:
        self.values: list[list[tuple[str, str]]] = []
        self.options: dict[str, Any] = {}
        self.error: Exception | None = None

    def __call__(self, session: Session, submit: Submit, **options: Any) -> int:
        if self.error:
            raise self.error
        self.values.append(submit.overrides)
        self.options = options
        return 0


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Stands in for handing a job in."""
    runs = Runs()
    monkeypatch.setattr(running, "perform", runs)
    return runs


@pytest.fixture
def session(terminal: Recorded) -> Session:
    """On the built-in workflow."""
    return Session(terminal, "demo", start=True)


def test_values_stay_and_an_empty_line_runs_again(session: Session, runs: Runs):
    for line in ('prompt "a fox" seed 1', "seed 2", "", "run cfg 3"):
        assert session.run_line(line) == 0
    fox = ("prompt", "a fox")
    assert runs.values == [
        [fox, ("seed", "1")],
        [fox, ("seed", "2")],
        [fox, ("seed", "2")],
        [fox, ("seed", "2"), ("cfg", "3")],
    ]


def test_of_two_names_of_one_parameter_the_last_given_counts(session: Session, runs: Runs):
    for line in ("seed 1", "5.seed 2", "seed 3"):
        session.run_line(line)
    assert runs.values[-1] == [("5.seed", "2"), ("seed", "3")]


def test_what_is_refused_does_not_stay(session: Session, runs: Runs):
    session.run_line("seed 1")
    runs.error = InvalidValue("no")
    with pytest.raises(InvalidValue):
        session.run_line("steps banana")
    assert session.values == {"seed": "1"}


def test_options_of_a_run_hold_for_one_line(session: Session, runs: Runs):
    session.run_line("seed 1 -o x.png --quiet")
    assert (runs.options["output"], runs.options["quiet"]) == ("x.png", True)
    session.run_line("")
    assert (runs.options["output"], runs.options["quiet"]) == (None, False)


def test_set_and_reset(session: Session, runs: Runs):
    session.run_line('set prompt "a fox" seed 1 cfg -1')
    assert runs.values == []
    session.run_line("reset seed")
    assert session.values == {"prompt": "a fox", "cfg": "-1"}
    with pytest.raises(UsageError, match="'seed' is not set; set are prompt, cfg"):
        session.run_line("reset seed")
    session.run_line("reset")
    assert session.values == {}


def test_show_without_a_catalogue(session: Session, terminal: Recorded):
    session.run_line("set seed 1")
    session.run_line("show")
    assert terminal.out_lines == ["seed 1"]


def test_use_goes_on_without_the_values(session: Session, tmp_path: Any):
    session.run_line("set seed 1")
    (tmp_path / "flow.json").write_text('{"1": {"class_type": "X", "inputs": {}}}')
    session.run_line(f"use {tmp_path}/flow.json")
    assert (session.workflow, session.values) == (f"{tmp_path}/flow.json", {})


def test_comments_do_nothing(session: Session, runs: Runs):
    assert session.run_line("  # seed 3") == 0
    assert runs.values == []


@pytest.mark.parametrize("line", ["exit", "quit"])
def test_leaving(session: Session, line: str):
    with pytest.raises(Leave):
        session.run_line(line)


def test_a_lone_word(session: Session):
    with pytest.raises(UsageError, match="did you mean 'history'"):
        session.run_line("histroy")
    with pytest.raises(UsageError, match="seed 42"):
        session.run_line("xyzzy")


def test_run_and_another_workflow(session: Session, runs: Runs):
    with pytest.raises(UsageError, match="use demo goes on with that workflow"):
        session.run_line("run demo")
    with pytest.raises(UsageError, match="'seed' has no value"):
        session.run_line("run seed")


def test_help_is_that_of_the_repl(session: Session, terminal: Recorded):
    session.run_line("help")
    session.run_line("set --help")
    assert any("Usage: set " in line for line in terminal.out_lines)
    assert any(line.startswith("│ reset ") for line in terminal.out_lines)


def test_stdin_cannot_be_both_lines_and_workflow(terminal: Recorded):
    with pytest.raises(UsageError, match="as a file"):
        Session(terminal, "-", start=True)
