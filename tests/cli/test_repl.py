"""The REPL, in a pseudo-terminal and on a pipe."""

import pexpect

from .conftest import Shell, ended


def opened(shell: Shell, *arguments: str) -> "pexpect.spawn[str]":
    child = shell.open(*arguments, columns=120)
    await_prompt(child)
    return child


def await_prompt(child: "pexpect.spawn[str]") -> None:
    """Until keys are read: a prompt is drawn again and again, but switches bracketed paste on only once."""
    child.expect_exact("\x1b[?2004h")
    child.expect_exact("comfy>")


def enter(child: "pexpect.spawn[str]", line: str) -> None:
    child.send(line + "\r")


def test_a_session(shell: Shell):
    child = opened(shell)
    enter(child, 'prompt "a red fox" seed 11')
    child.expect_exact("7 of 7 nodes")
    await_prompt(child)
    enter(child, "")
    child.expect_exact("0 of 7 nodes")
    await_prompt(child)
    enter(child, "show")
    child.expect_exact("* a red fox")
    await_prompt(child)
    enter(child, "cfg -1")
    child.expect_exact("not -1.0")
    await_prompt(child)
    enter(child, "histroy")
    child.expect_exact("did you mean 'history'?")
    await_prompt(child)
    enter(child, "history")
    child.expect_exact("RESULT")
    await_prompt(child)
    enter(child, "exit")
    assert ended(child) == 0


def test_ctrl_c_cancels_the_job_and_not_the_repl(shell: Shell):
    child = opened(shell)
    shell.hold(4)
    enter(child, "seed 3")
    child.expect_exact("3/8")
    child.sendintr()
    child.expect_exact("was cancelled")
    await_prompt(child)
    shell.hold(None)
    enter(child, "")
    child.expect_exact("done in")
    await_prompt(child)
    child.sendintr()
    child.expect_exact("Ctrl-D or exit leaves")
    await_prompt(child)
    child.sendeof()
    assert ended(child) == 0


def test_what_is_typed_while_a_job_runs_waits_for_the_prompt(shell: Shell):
    child = opened(shell)
    shell.hold(4)
    enter(child, "seed 3")
    child.expect_exact("3/8")
    enter(child, "set cfg 5")
    shell.hold(None)
    child.expect_exact("done in")
    assert "set cfg" not in child.before
    await_prompt(child)
    child.expect(r"set.*cfg.*5")
    await_prompt(child)
    child.sendeof()
    assert ended(child) == 0


def test_lines_are_remembered_across_sessions(shell: Shell):
    child = opened(shell, "repl", "--no-start")
    enter(child, "set seed 77")
    await_prompt(child)
    child.sendeof()
    ended(child)
    child = opened(shell, "repl", "--no-start")
    child.send("\x1b[A")
    child.expect(r"set.*seed.*77")
    child.sendintr()
    await_prompt(child)
    child.sendeof()
    ended(child)


def test_names_are_completed(shell: Shell):
    assert shell.run("run", "demo").status == 0
    child = opened(shell)
    child.send("sched\t")
    child.expect_exact("uler")
    child.send(" karras\r")
    child.expect_exact("done in")
    await_prompt(child)
    child.sendeof()
    ended(child)


def test_a_daemon_that_was_killed_is_started_again(shell: Shell):
    child = opened(shell)
    enter(child, "seed 1")
    child.expect_exact("done in")
    await_prompt(child)
    shell.daemon.kill()
    enter(child, "seed 2")
    child.expect_exact("starting the daemon")
    child.expect_exact("done in")
    await_prompt(child)
    child.sendeof()
    assert ended(child) == 0


def test_lines_from_a_pipe(shell: Shell):
    result = shell.run("repl", stdin="seed 3 --quiet\n\n# a comment\nset cfg 3\n   \nrun\n")
    assert result.status == 0
    assert len(set(result.out.splitlines())) == 2
    assert "comfy>" not in result.out


def test_a_pipe_gives_the_status_of_the_first_failure(shell: Shell):
    assert shell.run("repl", stdin="nonsense\nqueue\n").status == 2
    assert shell.run("repl", "nothing.json").status == 2
    assert shell.run("repl", stdin="queue\nexit\nnonsense\n").status == 0
    shell.run("stop")
    assert shell.run("repl", "--no-start", stdin="seed 1\nnonsense\n").status == 3


def test_a_line_in_json(shell: Shell):
    result = shell.run("repl", stdin="seed 3 --json\nsede 4 --json\n")
    assert [message["type"] for message in result.messages][-2:] == ["Done", "Error"]
