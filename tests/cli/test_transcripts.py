"""Whole sessions as they stand on the screen, kept in ``transcripts/``; UPDATE_TRANSCRIPTS=1 writes them anew.

What differs from run to run (times, folders, process numbers) is written as always the same.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import COMFYD, Shell
from .screen import CTRL_C, CTRL_D, Screen

FOLDER = Path(__file__).with_name("transcripts")


def settled(text: str, shell: Shell) -> str:
    """Without what is another one each time."""
    home = str(shell.daemon.home)
    unfolded = re.sub(re.escape(home[0]) + r"\n?".join(map(re.escape, home[1:])), "~/comfyd", text)
    return _settled_column([_settled_line(line, str(shell.directory)) for line in unfolded.split("\n")]).rstrip() + "\n"


def _settled_line(line: str, directory: str) -> str:
    line = line.replace(directory, ".")
    line = re.sub(r"\(pid \d+\)", "(pid 4711)", line)
    line = re.sub(r"\d\d:\d\d:\d\d", "12:00:00", line)
    return re.sub(r"~?\b\d+(\.\d+)? m?s\b(?! (and|each))", "0.1 s", line)


def _settled_column(lines: list[str]) -> str:
    """With the times of a table, whose width differs, in a column of one width."""
    parted = [re.fullmatch(r"(.*\S) {2,}(TIME|0\.1 s)", line) for line in lines]
    width = max((len(found[1]) for found in parted if found), default=0)
    return "\n".join(f"{found[1]:{width}}  {found[2]:>5}" if found else line for line, found in zip(lines, parted, strict=True))


def keep(name: str, screen: Screen, shell: Shell) -> None:
    """Compare with the transcript of that name, or write it."""
    seen, file = settled(screen.everything, shell), FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_TRANSCRIPTS"):
        file.write_text(seen)
    assert seen == file.read_text(), f"the session is another one than {file}; UPDATE_TRANSCRIPTS=1 writes it anew"


def override_and_run(screen: Screen, shell: Shell) -> None:
    screen.does("prompt a red fox in the snow seed 7")
    screen.does("steps 12")
    screen.does("diff")
    screen.does("help steps")
    screen.does("save fox")


def plan_before_running(screen: Screen, shell: Shell) -> None:
    screen.does("seed 7")
    screen.does("plan cfg 3")
    screen.does("steps 0")
    screen.does("cfg 3")


def cancel_and_go_on(screen: Screen, shell: Shell) -> None:
    shell.hold(4)
    screen.enter("steps 10")
    screen.until("3/10")
    screen.send(CTRL_C)
    screen.until("was cancelled")
    screen.until_prompt()
    shell.hold(None)
    screen.does("")


def the_daemon_is_killed_and_back(screen: Screen, shell: Shell) -> None:
    shell.hold(4)
    screen.enter("seed 3")
    screen.until("3/8")
    shell.daemon.kill()
    screen.until("it is started again")
    shell.hold(None)
    screen.until("comfyd run demo seed 3")
    screen.until_prompt()
    screen.does("seed 4")


def sweep_seeds(screen: Screen, shell: Shell) -> None:
    screen.does("set steps 4")
    screen.does("sweep seed 1..3 cfg 2,4 -o sheets")


def fetch_a_file(screen: Screen, shell: Shell) -> None:
    graph = json.loads(shell.run("convert", "demo", "prompt", "an old barn", "seed", "5").out)
    (shell.directory / "barn.json").write_text(json.dumps(graph))
    screen.enter("fetch barn.json")
    screen.until('comfy> prompt "an old barn" seed 5')
    screen.send(" steps 4\r")
    screen.until("comfyd run demo prompt 'an old barn'")
    screen.until_prompt()
    screen.does("open")


def preview_in_half_blocks(screen: Screen, shell: Shell) -> None:
    screen.does("7.filename_prefix red")


SESSIONS = (
    preview_in_half_blocks,
    override_and_run,
    plan_before_running,
    cancel_and_go_on,
    the_daemon_is_killed_and_back,
    sweep_seeds,
    fetch_a_file,
)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.__name__)
def test_a_session(session: Callable[[Screen, Shell], None], shell: Shell):
    assert shell.run("run", "demo", "seed", "1").status == 0
    preview = "blocks" if session is preview_in_half_blocks else "off"
    screen = Screen([str(COMFYD)], shell.directory, COMFYD_PREVIEW=preview)
    screen.until_prompt()
    screen.until("VRAM")
    session(screen, shell)
    screen.send(CTRL_D)
    assert screen.ended() == 0
    keep(session.__name__, screen, shell)
    screen.close()


def test_the_readme_shows_the_sessions_as_they_are() -> None:
    readme = (FOLDER.parents[2] / "README.md").read_text()
    for file in sorted(FOLDER.glob("*.txt")):
        shown = "\n".join(line.rstrip() for line in file.read_text().rstrip().splitlines())
        assert f"```\n{shown}\n```" in readme, f"README.md shows another session than {file.name}"
