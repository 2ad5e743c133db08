"""The error boundary."""

import json
from typing import NoReturn

import pytest
from comfyd_cli.main import guarded, program, wants_json

from comfyd.errors import DaemonUnavailable, UnknownParameter

from .conftest import Recorded


def raising(error: BaseException) -> NoReturn:
    raise error


@pytest.mark.parametrize(
    ("error", "status"), [(UnknownParameter("No sed."), 2), (DaemonUnavailable("None."), 3), (KeyboardInterrupt(), 130)]
)
def test_errors_become_a_sentence_and_a_status(error: BaseException, status: int, terminal: Recorded):
    assert guarded(terminal, lambda: raising(error)) == status
    assert terminal.err_lines == ([f"comfyd: {error}"] if str(error) else [])
    assert terminal.out_lines == []


def test_for_programs_the_last_line_is_the_error(terminal: Recorded):
    assert guarded(terminal, lambda: raising(UnknownParameter("No sed.")), json=True) == 2
    assert json.loads(terminal.out_lines[-1]) == {
        "type": "Error",
        "error": {"code": "unknown-parameter", "message": "No sed.", "detail": ""},
    }
    assert guarded(terminal, lambda: raising(KeyboardInterrupt()), json=True) == 130
    assert json.loads(terminal.out_lines[-1])["error"]["code"] == "cancelled"


def test_a_fault_of_ours_is_kept_in_the_log(terminal: Recorded):
    assert guarded(terminal, lambda: raising(RuntimeError("boom"))) == 1
    assert "fault in comfyd (RuntimeError: boom)" in terminal.err_lines[0]
    assert "COMFYD_TRACEBACK=1" in terminal.err_lines[0]
    assert "RuntimeError: boom" in terminal.paths.log.read_text()


def test_a_developer_sees_the_traceback(terminal: Recorded):
    terminal.environ = {**terminal.environ, "COMFYD_TRACEBACK": "1"}
    with pytest.raises(RuntimeError):
        guarded(terminal, lambda: raising(RuntimeError("boom")))


def test_control_characters_of_an_error_are_escaped(terminal: Recorded):
    guarded(terminal, lambda: raising(UnknownParameter("No \x1b[31m.")))
    assert terminal.err_lines == ["comfyd: No \\x1b[31m."]


def test_json_is_wanted_before_two_dashes_only():
    assert wants_json(["run", "x", "--json"])
    assert not wants_json(["run", "x", "--", "prompt", "--json"])


@pytest.mark.parametrize("tokens", [["--help"], ["-h"], ["help"], ["run", "--help"], ["engine", "--help"], ["run", "x", "-h"]])
def test_help(tokens: list[str], terminal: Recorded):
    assert program(terminal, tokens) == 0
    assert terminal.out_lines


def test_version(terminal: Recorded):
    assert program(terminal, ["--version"]) == 0
    assert terminal.out_lines[0].startswith("comfyd 0.")
