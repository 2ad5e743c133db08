"""sweep in pipes and in a pseudo-terminal: what it makes, what it resumes, and what is left when it is killed."""

import json
import os
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.daemon_process import LIMIT, wait_until

from .conftest import COMFYD, Shell, ended, plain

SIX = ("sweep", "demo", "seed", "1..3", "cfg", "4,6")


def jobs(shell: Shell) -> list[dict[str, Any]]:
    """Ended jobs, the oldest first."""
    found: list[dict[str, Any]] = shell.run("history", "-n", "100", "--json").messages[0]["jobs"]
    return found[::-1]


def pictures(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir() if "=" in file.name)


ALL_SIX = [f"seed={seed},cfg={cfg}.png" for seed in (1, 2, 3) for cfg in (4, 6)]


def test_every_combination_is_a_job_and_a_picture(shell: Shell):
    result = shell.run(*SIX)
    assert result.status == 0
    directory = shell.directory / "demo-sweep"
    assert pictures(directory) == ALL_SIX
    assert (directory / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert [Path(line).name for line in result.out.splitlines()] == [*ALL_SIX, "sheet.png"]
    assert {(job["overrides"]["5.seed"], job["overrides"]["5.cfg"]) for job in jobs(shell)} == {
        (seed, cfg) for seed in (1, 2, 3) for cfg in (4.0, 6.0)
    }
    assert "6 of 6 combinations done" in result.err
    assert "6 of 6: seed 3 · cfg 6, done" in result.err
    assert not list(directory.glob(".comfyd-*"))


def test_the_same_command_again_runs_nothing_and_a_larger_one_what_is_missing(shell: Shell):
    shell.run(*SIX)
    again = shell.run(*SIX, "--json")
    assert again.status == 0
    assert [message["type"] for message in again.messages] == ["SweepJob"] * 6 + ["Sweep"]
    assert all(message["resumed"] for message in again.messages[:-1])
    assert (again.messages[-1]["done"], again.messages[-1]["resumed"]) == (6, 6)
    assert len(jobs(shell)) == 6
    (shell.directory / "demo-sweep" / ALL_SIX[0]).unlink()
    larger = shell.run("sweep", "demo", "seed", "1..4", "cfg", "4,6", "--json")
    assert larger.messages[-1]["resumed"] == 5
    assert len(jobs(shell)) == 9
    other = shell.run(*SIX, "steps", "3", "--json")
    assert other.messages[-1]["resumed"] == 0


def test_another_sweep_into_the_same_directory_has_a_sheet_of_its_own(shell: Shell):
    first = shell.run("sweep", "demo", "seed", "1,2", "-o", "out", "--html", "--json").messages[-1]
    drawn = [(shell.directory / first[name]).read_bytes() for name in ("sheet", "page")]
    other = shell.run("sweep", "demo", "cfg", "3,4", "-o", "out", "--html", "--json").messages[-1]
    assert (other["sheet"], other["page"]) == ("out/sheet~2.png", "out/index~2.html")
    assert [(shell.directory / first[name]).read_bytes() for name in ("sheet", "page")] == drawn
    again = shell.run("sweep", "demo", "seed", "1,2", "-o", "out", "--html", "--json").messages[-1]
    larger = shell.run("sweep", "demo", "cfg", "3,4,5", "-o", "out", "--json").messages[-1]
    assert (again["sheet"], larger["sheet"]) == (first["sheet"], other["sheet"])


def test_json_tells_each_job_and_the_whole(shell: Shell):
    result = shell.run("sweep", "demo", "seed", "1,2", "prompt", '["a fox","an owl"]', "-o", "out", "--html", "--json")
    *each, whole = result.messages
    assert [one["number"] for one in sorted(each, key=lambda one: one["number"])] == [1, 2, 3, 4]
    first = next(one for one in each if one["number"] == 1)
    assert first["values"] == {"seed": 1, "prompt": "a fox"}
    assert (first["state"], first["of"]) == ("done", 4)
    assert Path(first["files"][0]).as_posix() == "out/seed=1,prompt=a-fox.png"
    assert (whole["total"], whole["done"], whole["failed"], whole["directory"]) == (4, 4, 0, "out")
    page = (shell.directory / whole["page"]).read_text()
    assert 'src="seed%3D1%2Cprompt%3Da-fox.png"' in page
    assert "prefers-color-scheme: dark" in page


def test_texts_from_a_file_and_pairs(shell: Shell):
    (shell.directory / "prompts.txt").write_text("# animals\n\na fox, red\n  an owl  \n")
    shell.run("start")
    shell.daemon.ready()
    result = shell.run("sweep", "demo", "prompt", "@prompts.txt", "seed", "1,2", "--zip", "-q")
    assert result.err == ""
    assert [Path(line).name for line in result.out.splitlines()] == ["prompt=a-fox-red,seed=1.png", "prompt=an-owl,seed=2.png"]
    assert [job["overrides"]["2.text"] for job in jobs(shell)] == ["a fox, red", "an owl"]


def test_random_seeds_stay_when_it_goes_on(shell: Shell):
    first = shell.run("sweep", "demo", "seed", "random*3", "--json").messages
    again = shell.run("sweep", "demo", "seed", "random*3", "--json").messages
    assert again[-1]["resumed"] == 3
    assert sorted(one["values"]["seed"] for one in first[:-1]) == sorted(one["values"]["seed"] for one in again[:-1])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("seed", "1..3", "cfg", "4,6", "--zip"), "seed has 3 and cfg has 2"),
        (("seed", "1..2000"), "That is 2,000 pictures. Make them all? Nobody can answer here: give --yes."),
        (("seed", "1..1000", "steps", "1..1000"), "at most 100,000"),
        (("cfg", "4,600"), "a number from 0.0 to 100.0, not 600.0"),
        (("prompt", "@nothing.txt"), "'nothing.txt' cannot be read (No such file or directory)"),
        (("sede", "1..3"), "did you mean 'seed'"),
        ((), "sweep needs NAME VALUES"),
    ],
)
def test_what_is_refused(shell: Shell, words: tuple[str, ...], sentence: str):
    shell.run("start")
    shell.daemon.ready()
    result = shell.run("sweep", "demo", *words)
    assert result.status == 2
    assert sentence in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert jobs(shell) == []
    assert not (shell.directory / "demo-sweep").exists()


def test_a_failure_is_told_and_the_others_go_on(shell: Shell):
    graph = {"1": {"class_type": "Raise", "inputs": {"message": "x"}}, "2": {"class_type": "Echo", "inputs": {"text": "a"}}}
    (shell.directory / "flow.json").write_text(json.dumps(graph))
    result = shell.run("sweep", "flow.json", "2.text", '["a","b"]', "--json")
    assert result.status == 1
    assert [one["state"] for one in result.messages[:-1]] == ["failed", "failed"]
    assert result.messages[0]["error"]["message"]
    assert result.messages[-1]["failed"] == 2
    assert "2.text a: " in result.err
    assert shell.run("sweep", "flow.json", "2.text", '["a","b"]', "--json").messages[-1]["failed"] == 2


def test_the_queue_is_never_full(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMFYD_MAX_QUEUE", "3")
    monkeypatch.setenv("COMFYD_MAX_RUNNING", "1")
    result = shell.run("sweep", "demo", "seed", "1..20", "--json")
    assert (result.status, result.messages[-1]["done"]) == (0, 20)
    refused = shell.run("sweep", "demo", "seed", "101..120", "--detach")
    assert refused.status == 2
    assert "20 jobs would not fit into the queue, which has room for 3" in refused.err


def test_queue_and_history_say_which_combination_a_job_is(shell: Shell):
    assert shell.run("run", "demo").status == 0
    assert "SWEEP" not in shell.run("history").out
    shell.hold(4)
    shell.run(*SIX, "--detach")
    head, *rows = shell.run("queue").out.splitlines()
    assert "SWEEP" in head
    assert [f"{number}/6 demo-sweep" in row for number, row in enumerate(rows, 1)] == [True] * 6
    shell.hold(None)
    assert shell.run(*SIX, "-q").status == 0
    assert [job["sweep"] for job in jobs(shell)][1:] == [f"{number}/6 demo-sweep" for number in range(1, 7)]
    child = shell.open("history", columns=80)
    ended(child)
    assert re.search(r"\b6/6\b", plain(child.before))


def test_detached_and_collected(shell: Shell):
    shell.hold(4)
    result = shell.run(*SIX, "--detach")
    assert (result.status, result.out) == (0, "jobs 1 to 6\n")
    shell.hold(None)
    collected = shell.run(*SIX, "--json").messages
    assert collected[-1]["done"] == 6
    assert len(jobs(shell)) == 6
    assert pictures(shell.directory / "demo-sweep") == ALL_SIX


def test_ctrl_c_cancels_what_is_left_and_the_same_command_goes_on(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMFYD_MAX_RUNNING", "1")
    shell.run("sweep", "demo", "seed", "1", "cfg", "4")
    shell.hold(4)
    child = shell.open(*SIX)
    child.expect("sweep 1/6")
    child.expect("step|4 of 7|KSampler")
    child.send("\x03")
    child.expect("cancelling what is left")
    assert ended(child) == 130
    states = Counter(job["state"] for job in jobs(shell))
    assert states["done"] == 1
    assert states["cancelled"] == 4  # those that were handed in
    shell.hold(None)
    whole = shell.run(*SIX, "--json").messages[-1]
    assert (whole["done"], whole["resumed"]) == (6, 1)


def test_the_moving_display(shell: Shell):
    shell.run("start")
    shell.daemon.ready()
    shell.hold(4)
    child = shell.open(*SIX, columns=100)
    child.expect("sweep 0/6")
    child.expect("seed 1 · cfg 4")
    shell.hold(None)
    assert ended(child) == 0
    text = plain(child.before)
    assert "6 of 6 combinations done" in text
    assert "demo-sweep/sheet.png" in text


def test_killed_in_the_middle_nothing_is_made_twice(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMFYD_MAX_RUNNING", "1")
    shell.run("start")
    shell.daemon.ready()
    shell.run("sweep", "demo", "seed", "1..2", "cfg", "4,6")
    shell.hold(4)
    process = subprocess.Popen([COMFYD, *SIX], cwd=shell.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shell.wait_for_job("running")
    record = shell.directory / "demo-sweep" / "sweep.json"
    wait_until(lambda: len(json.loads(record.read_text())["jobs"]) == 2, "the rest to be handed in")
    process.kill()
    process.wait(LIMIT)
    shell.hold(None)
    whole = shell.run(*SIX, "--json").messages[-1]
    assert (whole["done"], whole["resumed"]) == (6, 4)
    made = Counter((job["overrides"]["5.seed"], job["overrides"]["5.cfg"]) for job in jobs(shell) if job["state"] == "done")
    assert set(made.values()) == {1}
    assert len(made) == 6
    assert pictures(shell.directory / "demo-sweep") == ALL_SIX


def test_the_daemon_killed_in_the_middle(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMFYD_MAX_RUNNING", "1")
    shell.run("start")
    shell.daemon.ready()
    shell.run("sweep", "demo", "seed", "1", "cfg", "4,6")
    shell.hold(4)
    process = subprocess.Popen([COMFYD, *SIX], cwd=shell.directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    shell.wait_for_job("running")
    os.kill(json.loads(shell.run("status", "--json").out)["pid"], signal.SIGKILL)
    _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 3
    assert b"the same sweep again goes on where this one ended" in err
    shell.hold(None)
    whole = shell.run(*SIX, "--json").messages[-1]
    assert (whole["done"], whole["resumed"]) == (6, 2)
    assert len(jobs(shell)) == 6


def test_one_sweep_at_a_time_in_a_directory(shell: Shell):
    shell.run("start")
    shell.daemon.ready()
    shell.hold(4)
    process = subprocess.Popen([COMFYD, *SIX], cwd=shell.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shell.wait_for_job("running")
    refused = shell.run(*SIX)
    assert (refused.status, "Another sweep writes into demo-sweep" in refused.err) == (2, True)
    shell.hold(None)
    assert process.wait(LIMIT) == 0


def test_another_file_in_the_record_s_place_is_left_alone(shell: Shell):
    (shell.directory / "demo-sweep").mkdir()
    (shell.directory / "demo-sweep" / "sweep.json").write_text('{"mine": 1}')
    refused = shell.run(*SIX)
    assert refused.status == 2
    assert "sweep.json is no record of a sweep" in refused.err
    assert (shell.directory / "demo-sweep" / "sweep.json").read_text() == '{"mine": 1}'


def test_at_the_prompt_it_takes_the_values_set_there(shell: Shell):
    script = "set steps 5\nsweep seed 1..2 prompt a fox, red --json\nsweep cfg 900,901\n"
    result = shell.run("repl", stdin=script)
    *each, whole = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    assert [one["state"] for one in each] == ["done", "done"]
    assert whole["total"] == 2
    assert {(job["overrides"]["5.steps"], job["overrides"]["2.text"]) for job in jobs(shell)} == {(5, "a fox, red")}
    assert "a number from 0.0 to 100.0, not 900.0" in result.err
