"""--mode: for one job or for a prompt, told in the result line, in history and in JSON."""

import pytest

from .conftest import Shell


def test_a_job_says_which_mode_made_it(shell: Shell) -> None:
    fast = shell.run("run", "demo", "--mode", "fast")
    assert fast.status == 0
    assert fast.err.splitlines()[-1].endswith(" · fast")
    assert shell.run("run", "demo").err.splitlines()[-1].endswith(" · exact")
    assert shell.run("run", "demo", "--mode", "fast", "--json").messages[-1]["mode"] == "fast"
    assert [job["mode"] for job in shell.run("history", "--json").messages[0]["jobs"]] == ["fast", "exact", "fast"]
    assert "MODE" in shell.run("history").out.splitlines()[0]


def test_the_environment_and_the_prompt_choose_as_well(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = shell.run("repl", "demo", "--mode", "fast", stdin="seed 1\nrun --mode exact seed 2\n")
    assert piped.status == 0
    monkeypatch.setenv("COMFYD_MODE", "fast")
    assert shell.run("run", "demo", "seed", "3").err.splitlines()[-1].endswith(" · fast")
    assert [job["mode"] for job in shell.run("history", "--json").messages[0]["jobs"]] == ["fast", "exact", "fast"]


def test_another_name_is_refused_before_anything_starts(shell: Shell) -> None:
    refused = shell.run("run", "demo", "--mode", "turbo")
    assert refused.status == 2
    assert "There is no mode 'turbo'" in refused.err
    assert "starting" not in refused.err
