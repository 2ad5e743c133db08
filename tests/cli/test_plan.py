"""plan in pipes, on a terminal and at the prompt."""

import json

from .conftest import Shell, ended, plain


def test_a_plan_says_what_a_run_would_do_and_runs_nothing(shell: Shell):
    assert shell.run("run", "demo", "seed", "41").status == 0
    result = shell.run("plan", "demo", "seed", "42")
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("3 of 7 nodes would run: about ")
    assert lines[1] == "KSampler: seed 41 -> 42"
    assert "VAE Decode, Save Image: downstream" in lines
    assert result.err == "compared with job 1\n"
    assert len(shell.run("history", "--json").messages[0]["jobs"]) == 1


def test_json_is_one_line(shell: Shell):
    shell.run("run", "demo")
    (reply,) = shell.run("plan", "demo", "steps", "9", "--json").messages[-1:]
    assert reply["type"] == "PlanReply"
    assert reply["overrides"] == {"5.steps": 9}
    sampler = next(node for node in reply["nodes"] if node["node"] == "5")
    assert (sampler["state"], sampler["changes"]) == ("run", [{"input": "steps", "old": 8, "new": 9}])


def test_without_a_daemon_it_is_refused_where_none_may_start(shell: Shell):
    result = shell.run("plan", "demo", "--no-start", "--json")
    assert (result.status, result.messages[-1]["error"]["code"]) == (3, "daemon-unavailable")


def test_what_a_run_would_be_refused_for(shell: Shell):
    result = shell.run("plan", "demo", "sed", "42")
    assert result.status == 2
    assert "did you mean 'seed'?" in result.err


def test_at_the_prompt_values_do_not_stay(shell: Shell):
    shell.run("run", "demo", "seed", "41")
    result = shell.run("repl", "demo", stdin="plan seed 42\nplan --json\n")
    assert result.status == 0
    assert "KSampler: seed 41 -> 42" in result.out
    reply = json.loads(result.out.splitlines()[-1])
    assert reply["overrides"] == {}


def test_a_narrow_terminal_keeps_the_lines_in_their_width(shell: Shell):
    shell.run("run", "demo", "seed", "41")
    child = shell.open("plan", "demo", "seed", "42", columns=50)
    assert ended(child) == 0
    table = plain(child.before or "").split("\r\n\r\n")[-1]
    assert all(len(line) <= 50 for line in table.splitlines())
