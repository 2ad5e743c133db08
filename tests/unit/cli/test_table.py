"""Rows and columns."""

from pathlib import Path

import pytest
from comfyd_cli.table import cut, fitted, lines, show
from rich.cells import cell_len

from .conftest import Recorded

HEADERS = ("JOB", "WORKFLOW", "RESULT")
ROWS = [["1", "demo prompt 'a red fox in the snow'", "/somewhere/output/demo_00001_.png"], ["12", "日本語", "failed\x1b"]]


def test_pipes_get_everything_aligned(terminal: Recorded):
    show(terminal, HEADERS, ROWS, numbers=("JOB",), flexible=("WORKFLOW",))
    assert terminal.out_lines[1] == "  1  demo prompt 'a red fox in the snow'  /somewhere/output/demo_00001_.png"
    assert terminal.out_lines[2].endswith("failed\\x1b")


def test_sparse_columns_are_there_where_they_say_something(terminal: Recorded):
    show(terminal, ("JOB", "SWEEP"), [["1", ""], ["2", ""]], flexible=("SWEEP",), sparse=("SWEEP",))
    assert terminal.out_lines == ["JOB", "1", "2"]
    show(terminal, ("JOB", "SWEEP"), [["1", ""], ["2", "1/2 demo"]], flexible=("SWEEP",), sparse=("SWEEP",))
    assert terminal.out_lines[3:] == ["JOB  SWEEP", "1", "2    1/2 demo"]


def test_flexible_columns_give_way():
    found = lines(HEADERS, ROWS, 50, numbers=("JOB",), flexible=("WORKFLOW", "RESULT"))
    assert all(cell_len(line) <= 50 for line in found)
    assert "…" in found[1]
    assert found[1].endswith("demo_00001_.png")


def test_nothing_is_wider_than_a_terminal_too_narrow_for_it():
    assert all(cell_len(line) <= 12 for line in lines(HEADERS, ROWS, 12, flexible=("WORKFLOW",)))


def test_the_widest_gives_way_first_and_not_below_what_can_be_read():
    assert fitted([3, 30, 20], [False, True, True], 37) == [3, 15, 15]
    assert fitted([3, 30, 20], [False, True, True], 10) == [3, 8, 8]
    assert fitted([3, 4], [False, True], 80) == [3, 4]


def test_a_cut_keeps_the_end_of_a_path():
    assert cut("/somewhere/demo.png", 10) == "…/demo.png"
    assert cut("a long text", 6) == "a lon…"
    assert cut("日本語", 4) == "日…"
    assert cut("x", 0) == ""


def test_one_long_cell_in_a_pipe_moves_its_own_row_only():
    found = lines(HEADERS, [["1", "x" * 2000, "long.png"], ["2", "demo", "short.png"]], None)
    assert found[1].endswith(f"{'x' * 2000}  long.png")
    assert max(len(found[0]), len(found[2])) < 100


@pytest.mark.parametrize(
    ("columns", "heads"),
    [("200", ["JOB", "WORKFLOW", "RESULT"]), ("30", ["JOB", "WORKFLOW", "RESULT"]), ("18", ["JOB", "RESULT"])],
)
def test_a_narrow_terminal_leaves_columns_out(columns: str, heads: list[str], tmp_path: Path):
    terminal = Recorded(tmp_path, tty=True)
    terminal.environ = {"COLUMNS": columns, "NO_COLOR": "1"}
    show(terminal, HEADERS, ROWS, flexible=("WORKFLOW", "RESULT"), optional=("WORKFLOW",))
    assert terminal.out_lines[0].split() == heads
    assert all(cell_len(line) <= int(columns) for line in terminal.out_lines)
