"""Pictures in a pseudo-terminal: what is being made, and what was made; none where they would be noise."""

import json
import re

import pexpect
import pyte
import pytest

from .conftest import Shell, ended

RED = "ff0000"
PREVIEW = r"38;2;\d;200;100"


def seen(child: "pexpect.spawn[str]", rows: int = 24, columns: int = 80) -> pyte.Screen:
    """What the terminal shows once the program has ended."""
    ended(child)
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(child.before)
    return screen


@pytest.fixture
def red(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell whose pictures are red squares."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    return shell


SAVED = ("7.filename_prefix", "red")


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (50, 200)])
def test_the_picture_is_seen_while_it_is_made(red: Shell, rows: int, columns: int):
    red.hold(4)
    child = red.open("run", "demo", rows=rows, columns=columns)
    child.expect(PREVIEW)
    red.hold(None)
    child.expect_exact("done in")
    assert "▀" not in seen(child).display[0]


def test_a_second_terminal_sees_it_too(red: Shell):
    red.hold(4)
    first = red.open("run", "demo", "--no-preview")
    first.expect_exact("3/8")
    second = red.open("watch", "1")
    second.expect(PREVIEW)
    red.hold(None)
    ended(second)
    ended(first)
    assert "▀" not in first.before


def test_ctrl_c_takes_the_picture_away(red: Shell):
    red.hold(4)
    child = red.open("run", "demo")
    child.expect(PREVIEW)
    child.sendintr()
    child.expect_exact("\x1b[J\x1b[?25h")
    child.expect_exact("job 1 was cancelled")
    assert ended(child) == 130


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (50, 200)])
def test_the_finished_picture_stands_below_its_path(red: Shell, rows: int, columns: int):
    screen = seen(red.open("run", "demo", *SAVED, rows=rows, columns=columns), rows, columns)
    row = next(number for number, line in enumerate(screen.display) if "▀" in line)
    assert screen.display[row - 1].rstrip().endswith(".png") or ".png" in "".join(screen.display[row - 2 : row])
    high = min(rows // 3, 20)
    assert [screen.buffer[row][column].fg for column in range(2 * high + 1)] == [RED] * (2 * high) + ["default"]
    assert screen.cursor.y == row + high


def test_a_batch_is_a_row(red: Shell):
    screen = seen(red.open("run", "demo", "4.batch_size", "3", *SAVED))
    row = next(line for line in screen.display if "▀" in line)
    assert row.rstrip() == "  ".join(["▀" * 16] * 3)


def test_kitty_gets_its_own_escapes_and_the_file(red: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMFYD_PREVIEW", "auto")
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")
    monkeypatch.delenv("TMUX", raising=False)
    red.hold(4)
    child = red.open("run", "demo", *SAVED)
    child.expect(r"\x1b_Gf=24,s=2,v=2,a=T,i=\d+,p=1,c=16,r=8,C=1,q=2,m=0;")
    child.expect_exact("3/8")
    red.hold(None)
    child.expect(r"\x1b_Ga=d,d=I,i=\d+,q=2\x1b\\")
    child.expect(r"red_00001_0\.png")
    child.expect(r"\x1b_Gf=100,a=T,c=16,r=8,C=1,q=2,m=0;iVBOR")
    assert ended(child) == 0


def test_a_terminal_is_asked_what_it_shows(red: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMFYD_PREVIEW", "auto")
    for name in ("TMUX", "STY", "TERM_PROGRAM", "LC_TERMINAL", "KITTY_WINDOW_ID"):
        monkeypatch.delenv(name, raising=False)
    child = red.open("run", "demo", *SAVED)
    child.expect_exact("\x1b[c")
    child.send("\x1b[?62;4c")
    child.expect(r'\x1bP0;1;0q"1;1;\d+;\d+')
    assert ended(child) == 0
    again = red.open("run", "demo", *SAVED)
    again.expect(r'\x1bP0;1;0q"1;1;\d+;\d+')
    assert "\x1b[c" not in again.before
    assert ended(again) == 0


@pytest.mark.parametrize("arguments", [("--no-preview",), ("--preview", "off"), ("--quiet",), ("--json",)])
def test_none_where_none_are_wanted(red: Shell, arguments: tuple[str, ...]):
    child = red.open("run", "demo", *SAVED, *arguments)
    assert ended(child) == 0
    assert "▀" not in child.before
    assert not red.daemon.paths.data.joinpath("watched").exists()


def test_none_on_a_terminal_that_shows_none(red: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "dumb")
    child = red.open("run", "demo", *SAVED)
    assert ended(child) == 0
    assert "▀" not in child.before


def test_nothing_in_pipes(red: Shell):
    result = red.run("run", "demo", *SAVED)
    assert re.fullmatch(r"\S+red_00001_0\.png\n", result.out)
    assert "▀" not in result.err
    assert "\x1b" not in result.err
    assert all(json.loads(line)["type"] != "Preview" for line in red.run("run", "demo", "--json").out.splitlines())
    assert not red.daemon.paths.data.joinpath("watched").exists()


def test_a_way_that_there_is_not(red: Shell):
    result = red.run("run", "demo", "--preview", "sixels")
    assert result.status == 2
    assert "did you mean" in result.err
    assert result.out == ""


def test_the_prompt_shows_pictures(red: Shell):
    red.hold(4)
    child = red.open("repl", "demo")
    child.expect_exact("comfy>")
    child.sendline("7.filename_prefix red")
    child.expect(PREVIEW)
    red.hold(None)
    child.expect(r"red_00001_0\.png")
    child.expect("38;2;255;0;0;48;2;255;0;0m▀")
    child.expect_exact("comfy>")
    child.sendline("7.filename_prefix red seed 9 --no-preview")
    child.expect(r"red_00002_0\.png")
    assert "▀" not in child.before
