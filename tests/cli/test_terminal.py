"""What is seen in a pseudo-terminal: the moving display, Ctrl-C, two terminals, the REPL."""

import signal
from pathlib import Path

import pytest

from tests.daemon_process import wait_until

from .conftest import Shell, ended, plain


def test_steps_rate_memory_and_nodes_are_shown(shell: Shell):
    shell.hold(4)
    child = shell.open("run", "demo", columns=120)
    child.expect_exact("3/8")
    child.expect(r"it/s")
    child.expect(r"ETA 0:0\d")
    child.expect_exact("4 of 7 nodes · VRAM 4.0 GB of 24.0 GB")
    shell.hold(None)
    child.expect(r"done in .* · 7 of 7 nodes · peak 2.0 GB")
    child.expect(r"demo_00001_0\.png")
    assert ended(child) == 0


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_row_wraps(shell: Shell, columns: int):
    shell.hold(4)
    child = shell.open("run", "demo", columns=columns)
    child.expect_exact("3/8")
    child.expect_exact("of 7 nodes")
    drawn = plain(child.before).replace("\r", "\n").splitlines()
    assert max(map(len, drawn)) <= columns


def test_no_colour_where_none_is_wanted(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    shell.hold(4)
    child = shell.open("run", "demo")
    child.expect_exact("3/8")
    assert "\x1b[32m" not in child.before
    assert "\x1b[36m" not in child.before


def test_the_engines_start_is_shown(shell: Shell):
    shell.daemon.say_at_start(f"wait {shell.daemon.file('go')}")
    child = shell.open("run", "demo")
    child.expect_exact("engine starting")
    shell.daemon.file("go").touch()
    child.expect_exact("done in")
    assert ended(child) == 0


def test_an_engine_that_does_not_start(shell: Shell):
    shell.daemon.say_at_start("refuse")
    child = shell.open("run", "demo")
    child.expect_exact("comfyd:")
    child.expect_exact("does not want to start")
    assert ended(child) == 3


def test_ctrl_c_cancels_the_job(shell: Shell):
    shell.hold(4)
    child = shell.open("run", "demo")
    child.expect_exact("3/8")
    child.sendintr()
    child.expect_exact("cancelling job 1")
    child.expect_exact("job 1 was cancelled")
    assert ended(child) == 130
    assert " cancelled " in shell.run("history").out


def test_a_second_ctrl_c_leaves_at_once(shell: Shell):
    flow = shell.directory / "hang.json"
    flow.write_text(
        f'{{"1": {{"class_type": "Hang", "inputs": {{"path": "{shell.daemon.file("go")}"}}}},'
        '"2": {"class_type": "Echo", "inputs": {"text": "x"}}}'
    )
    child = shell.open("run", "hang.json")
    child.expect_exact("Hang")
    child.sendintr()
    child.expect_exact("cancelling job 1")
    child.sendintr()
    child.expect_exact("left; job 1 goes on being cancelled")
    assert ended(child) == 130
    wait_until(lambda: "job 1 is to be cancelled" in shell.daemon.log, "the cancel")  # else the node may end before it comes
    shell.daemon.file("go").touch()
    wait_until(lambda: "cancelled" in shell.run("history").out, "the end of the job")


def test_a_second_terminal_watches_and_leaves(shell: Shell):
    shell.hold(4)
    first = shell.open("run", "demo")
    first.expect_exact("3/8")
    second = shell.open("watch", "1")
    second.expect_exact("3/8")
    second.sendintr()
    second.expect_exact("left; job 1 goes on")
    assert ended(second) == 130
    third = shell.open("watch", "1")
    third.expect_exact("3/8")
    shell.hold(None)
    first.expect_exact("done in")
    third.expect_exact("done in")
    assert (ended(first), ended(third)) == (0, 0)


def test_no_bytes_on_a_terminal(shell: Shell):
    child = shell.open("run", "demo", "-o", "-")
    child.expect_exact("stdout is a terminal")
    assert ended(child) == 2


def test_the_cursor_comes_back_when_the_client_is_terminated(shell: Shell):
    shell.hold(4)
    child = shell.open("run", "demo")
    child.expect_exact("\x1b[?25l")
    child.expect_exact("3/8")
    child.kill(15)
    child.expect_exact("\x1b[?25h")
    assert ended(child) == 143


def test_ctrl_z_gives_the_terminal_back_and_fg_goes_on(shell: Shell):
    shell.hold(4)
    child = shell.open("run", "demo")
    child.expect_exact("\x1b[?25l")
    child.expect_exact("3/8")
    child.kill(signal.SIGTSTP)
    child.expect_exact("\x1b[?25h")
    wait_until(lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "a stopped client")
    child.kill(signal.SIGCONT)
    child.expect_exact("\x1b[?25l")
    child.expect_exact("3/8")
    shell.hold(None)
    child.expect_exact("done in")
    assert ended(child) == 0


def test_tables_fit_the_terminal(shell: Shell):
    assert shell.run("run", "demo", "prompt", "a very long prompt " * 10).status == 0
    for columns in (40, 80):
        child = shell.open("history", columns=columns)
        ended(child)
        assert max(len(line) for line in plain(child.before).splitlines()) <= columns


def test_ctrl_c_before_the_engine_is_there_leaves_no_job(shell: Shell):
    shell.daemon.say_at_start(f"wait {shell.daemon.file('go')}")
    child = shell.open("run", "demo")
    child.expect_exact("engine starting")
    child.sendintr()
    assert ended(child) == 130
    shell.daemon.file("go").touch()
    assert shell.run("run", "demo", "--quiet").status == 0
    assert [job["id"] for job in shell.run("history", "--json").messages[0]["jobs"]] == [1]


def test_detached_on_a_bare_machine_shows_the_engines_start(shell: Shell):
    shell.daemon.say_at_start(f"wait {shell.daemon.file('go')}")
    child = shell.open("run", "demo", "--detach")
    child.expect_exact("engine starting")
    shell.daemon.file("go").touch()
    child.expect_exact("1\r\n")
    assert ended(child) == 0
