"""The prompt as somebody sees it: on a screen of its own, against a real daemon with the fake engine."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.daemon_process import wait_until

from .conftest import COMFYD, Shell
from .screen import CTRL_C, CTRL_D, CTRL_R, ESCAPE, PROMPT, RIGHT, TAB, Screen

Open = Callable[..., Screen]


@pytest.fixture
def prompt(shell: Shell) -> Iterator[Open]:
    """Opens prompts, which are closed after the test."""
    opened: list[Screen] = []

    def open_(*arguments: str, rows: int = 24, columns: int = 80, **environ: str) -> Screen:
        screen = Screen([str(COMFYD), *arguments], shell.directory, rows=rows, columns=columns, **environ)
        opened.append(screen)
        screen.until_prompt()
        return screen

    yield open_
    for screen in opened:
        screen.close()


@pytest.fixture
def ready(shell: Shell, prompt: Open) -> Screen:
    """A prompt that knows the workflow's parameters."""
    assert shell.run("run", "demo").status == 0
    screen = prompt()
    screen.until("VRAM")
    return screen


def leave(screen: Screen) -> None:
    screen.send(CTRL_D)
    assert screen.ended() == 0


# ---------------------------------------------------------------- before anything runs


def test_the_prompt_is_there_while_the_engine_starts(shell: Shell, prompt: Open):
    shell.daemon.say_at_start(f"wait {shell.daemon.file('go')}")
    screen = prompt()
    screen.until("engine starting")
    screen.send("hist")
    screen.until("List ended jobs, newest first.")
    screen.send(CTRL_C)
    screen.until_prompt()
    shell.daemon.file("go").touch()
    screen.until("VRAM")
    leave(screen)


def test_completion_shows_type_range_and_current_value(ready: Screen):
    ready.does("set steps 12")
    ready.send("ste")
    ready.until("INT 1 to 10000, now 12")
    ready.send(TAB + " ")
    ready.until("comfy> steps\n")
    ready.send(CTRL_C)
    ready.until_prompt()
    ready.send("sampler ")
    ready.until("dpmpp_2m")
    ready.send("dp" + TAB)
    ready.until("comfy> sampler dpmpp_2m")
    ready.send(CTRL_C)


def test_a_bad_value_is_marked_at_once_and_hinders_nobody(ready: Screen):
    ready.send("steps 0 ")
    ready.until("steps takes an integer from 1 to 10000, not 0.")
    ready.send("\x7f\x7f5 ")
    ready.until("VRAM")
    ready.send(CTRL_C)
    ready.until_prompt()
    ready.send("cfg 1000")
    ready.until(lambda: "cfg takes a number" in ready.toolbar)
    ready.send("\r")
    ready.until("not 1000.0")
    ready.until_prompt()


def test_the_toolbar_tells_of_another_terminals_job(shell: Shell, ready: Screen):
    shell.hold(4)
    assert shell.run("run", "demo", "seed", "9", "-d").status == 0
    ready.until("KSampler 3/8")
    assert "queue 0" in ready.toolbar
    shell.hold(None)
    ready.until(lambda: "KSampler" not in ready.toolbar)


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (50, 200), (10, 40)])
def test_any_size(shell: Shell, prompt: Open, rows: int, columns: int):
    assert shell.run("run", "demo").status == 0
    screen = prompt(rows=rows, columns=columns)
    screen.until("VRAM" if columns > 40 else "fake")
    assert "done in" in screen.does("seed 5")
    assert all(len(line) <= columns for line in screen.lines)
    leave(screen)


def test_without_colours(shell: Shell, prompt: Open):
    screen = prompt(NO_COLOR="1", COMFYD_PREVIEW="auto")
    assert "done in" in screen.does("seed 5")
    screen.send("steps 0 ")
    screen.until("not 0.")
    colours = re.findall(r"\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|[34]8;[25]|9[0-7])(?:;\d+)*m", screen.raw)
    assert colours == []
    screen.send(CTRL_C)
    screen.until_prompt()
    leave(screen)


def test_a_dumb_terminal(shell: Shell):
    screen = Screen([str(COMFYD)], shell.directory, TERM="dumb")
    screen.until("comfy>")
    screen.send("seed 5\r")
    screen.until("done in")
    screen.send("exit\r")
    assert screen.ended() == 0
    assert "\x1b" not in screen.raw
    screen.close()


def test_tab_on_a_dumb_terminal_completes_and_lists_without_control_sequences(shell: Shell):
    screen = Screen([str(COMFYD), "repl", "--no-start"], shell.directory, TERM="dumb")
    screen.until_prompt()
    screen.send("hist" + TAB)
    screen.until("comfy> history")
    screen.send("\x15")
    screen.until_prompt()
    screen.send("un" + TAB)
    screen.until(lambda: "unload" in screen.text and "unset" in screen.text)
    screen.until(lambda: screen.text.rstrip().endswith("comfy> un"))
    screen.send("set x\x7fseed\r")
    screen.until_prompt()
    assert "comfy> unset seed" in screen.lines
    assert not set(screen.raw) & set("\t\x1b")
    screen.send(CTRL_D)
    assert screen.ended() == 0
    screen.close()


def test_what_a_dumb_terminal_shows_itself_is_not_shown_twice(shell: Shell):
    screen = Screen(["sh", "-c", f"stty -echo; exec {COMFYD} repl --no-start"], shell.directory, TERM="dumb")
    screen.until_prompt()
    screen.send("set seed 77\r")
    screen.until_prompt()
    screen.send("diff\r")
    screen.until(lambda: "77" in screen.text)
    screen.until_prompt()
    assert "set seed" not in screen.raw
    screen.send(CTRL_D)
    assert screen.ended() == 0
    screen.close()


# ---------------------------------------------------------------- typing


def test_a_prompt_of_two_thousand_characters_is_pasted(shell: Shell, ready: Screen):
    text = " ".join(f"word{number}" for number in range(260))
    assert len(text) > 1950
    ready.send(f"\x1b[200~prompt {text}\nand it's snow\x1b[201~")
    ready.until("and it's snow")
    ready.send("\r")
    ready.until("done in")
    ready.until_prompt()
    (record,) = [job for job in shell.run("history", "--json").messages[0]["jobs"] if job["overrides"]]
    assert record["overrides"]["2.text"] == f"{text} and it's snow"


def test_a_text_of_several_lines(shell: Shell, ready: Screen):
    ready.send('prompt """\ra red\rfox""" seed 4\r')
    ready.until("done in")
    ready.until_prompt()
    ready.send(f"steps 4{ESCAPE}\rcfg 2\r")
    ready.until(lambda: ready.everything.count("done in") == 2)
    overrides = shell.run("history", "--json").messages[0]["jobs"][0]["overrides"]
    assert overrides == {"2.text": "a red\nfox", "5.seed": 4, "5.steps": 4, "5.cfg": 2.0}


def test_an_editor_of_ones_own(shell: Shell, prompt: Open):
    editor = shell.directory / "editor"
    editor.write_text("#!/bin/sh\nprintf 'seed 77' > \"$1\"\n")
    editor.chmod(0o755)
    screen = prompt(EDITOR=str(editor), VISUAL=str(editor))
    screen.send("seed 1\x18\x05")
    screen.until("comfyd run demo seed 77")


def test_lines_are_suggested_and_searched_across_sessions(shell: Shell, prompt: Open):
    screen = prompt()
    screen.does('set prompt "an old barn" steps 11')
    leave(screen)
    file = shell.daemon.paths.state / "history"
    assert file.stat().st_mode & 0o777 == 0o600
    screen = prompt()
    screen.recall('set prompt "an old barn" steps 11')
    screen.send(CTRL_C)
    screen.until_prompt()
    screen.send("set pro")
    screen.until(lambda: screen.text.count('set prompt "an old barn" steps 11') == 2)
    screen.send(RIGHT + "\r")
    screen.until_prompt()
    assert "an old barn" in screen.does("diff")
    screen.send(CTRL_R + "barn")
    screen.until('an old barn" steps 11')
    screen.send(CTRL_C + CTRL_C)


def test_two_prompts_keep_their_lines_apart(shell: Shell, prompt: Open):
    first, second = prompt(), prompt()
    first.does("set seed 1")
    second.does("set seed 2")
    assert "seed" not in second.does("reset")
    assert "1" in first.does("diff")
    leave(first)
    leave(second)
    third = prompt()
    third.recall("set seed 2")
    third.send(CTRL_C)


# ---------------------------------------------------------------- jobs


def test_each_run_prints_the_command_that_reproduces_it(shell: Shell, ready: Screen):
    ready.does("prompt a {red|red} fox's hat seed random steps 3")
    line = next(line for line in ready.lines if line.startswith("comfyd run"))
    made = re.fullmatch(r"""comfyd run demo prompt 'a red fox'"'"'s hat' seed (\d+) steps 3""", line)
    assert made
    shown = ready.does("more 2")
    assert shown.count("done in") == 2
    assert len(set(re.findall(r"seed (\d+)", shown)) - {made[1]}) == 2
    assert "0 of 7 nodes" in ready.does(line.removeprefix("comfyd run demo "))


def test_ctrl_c_cancels_the_job_and_says_at_an_empty_prompt_how_to_leave(shell: Shell, ready: Screen):
    shell.hold(4)
    ready.enter("seed 3")
    ready.until("3/8")
    ready.send(CTRL_C)
    ready.until("was cancelled")
    ready.until_prompt()
    shell.hold(None)
    ready.send(CTRL_C)
    ready.until("Ctrl-D or exit leaves")


def test_ctrl_c_cancels_all_of_more(shell: Shell, ready: Screen):
    shell.hold(4)
    ready.enter("more 3")
    ready.until("3/8")
    ready.send(CTRL_C)
    ready.until("cancelled with it")
    ready.until_prompt()
    assert shell.run("queue", "--json").messages[0]["jobs"] == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_job_goes_on_without_its_prompt_and_is_watched_again(shell: Shell, ready: Screen, prompt: Open, number: int):
    shell.hold(4)
    ready.enter("seed 3")
    ready.until("3/8")
    ready.kill(number)
    ready.ended()
    job = shell.wait_for_job("running")
    other = prompt()
    other.enter(f"watch {job}")
    other.until("3/8")
    shell.hold(None)
    other.until("done in")


def test_leaving_tells_of_jobs_that_go_on(shell: Shell, ready: Screen):
    shell.hold(4)
    ready.does("seed 3 --detach")
    ready.send(CTRL_D)
    ready.until("left with the daemon; comfyd watch 2 follows")
    assert ready.ended() == 0
    shell.hold(None)


# ---------------------------------------------------------------- a daemon that goes and comes


def test_a_job_is_followed_through_the_daemons_death(shell: Shell, ready: Screen):
    shell.hold(4)
    ready.enter("seed 3")
    ready.until("3/8")
    shell.daemon.kill()
    ready.until("the daemon has ended; it is started again, and job 2")
    shell.hold(None)
    ready.until("done in")
    ready.until_prompt()
    assert ready.everything.count("the daemon has ended") == 1


def test_a_daemon_that_ends_at_the_prompt_is_told_of_once_and_found_again(shell: Shell, ready: Screen):
    ready.send("set see")
    shell.daemon.kill()
    ready.until("the daemon has ended; the next run starts it again")
    ready.until("no daemon; the next run starts it")
    assert shell.run("start").status == 0
    ready.until("the daemon runs again")
    ready.until("comfy> set see")
    ready.send("d 5\r")
    ready.until_prompt()
    assert "5" in ready.does("diff")
    assert ready.everything.count("the daemon has ended") == 1


# ---------------------------------------------------------------- the session's other commands


def test_help_on_a_parameter(ready: Screen):
    ready.does("set steps 12")
    page = ready.does("help steps")
    for fact in ("KSampler", "5.steps", "INT", "1 to 10000", "12 (the workflow has 8)"):
        assert fact in page


def test_every_repeats_until_ctrl_c(ready: Screen):
    ready.enter("every 0.1 queue")
    ready.until(lambda: ready.everything.count("The queue is empty.") > 2)
    ready.send(CTRL_C)  # at which a terminal drops what it has not shown yet, the end of a line for one
    ready.until(lambda: any(line.endswith(PROMPT) for line in ready.lines))


def test_save_use_and_unset(shell: Shell, ready: Screen):
    ready.does("set seed 77 cfg 2")
    assert "fox is stored" in ready.does("save fox")
    ready.does("use fox")
    assert "Nothing differs" in ready.does("diff")
    assert "77" in ready.does("show")
    ready.does("5.seed 78 --quiet")
    ready.does("unset seed")
    assert "Nothing differs" in ready.does("diff")
    assert json.loads((shell.daemon.paths.workflows / "fox" / "workflow.json").read_text())["5"]["inputs"]["seed"] == 77


def test_fetch_puts_a_files_values_onto_the_line(shell: Shell, ready: Screen):
    graph = json.loads(shell.run("convert", "demo", "prompt", "an old barn", "seed", "5").out)
    (shell.directory / "barn.json").write_text(json.dumps(graph))
    ready.enter("fetch barn.json")
    ready.until('comfy> prompt "an old barn" seed 5')
    ready.send("\r")
    ready.until("comfyd run demo prompt 'an old barn' seed 5")


def test_open_says_where_the_picture_is(ready: Screen):
    ready.does("seed 5")
    shown = ready.does("open")
    assert Path(shown.split("\n")[1].strip()).exists()
    assert "no desktop" in shown


def test_a_script_of_ones_own(shell: Shell, ready: Screen):
    (shell.directory / "night.comfy").write_text("# two pictures\n\nseed 1 -q\nseed 2 -q\nsede 3\nseed 4\n")
    shown = ready.does("source night.comfy")
    assert "did you mean 'seed'?" in shown
    assert "night.comfy:5: stopped at 'sede 3'" in shown
    wait_until(lambda: len(shell.run("history", "--json").messages[0]["jobs"]) == 3, "two jobs more")
