"""history with its filters, and again."""

import json

from .conftest import Shell


def ids(shell: Shell, *filters: str) -> list[int]:
    return [job["id"] for job in shell.run("history", "--json", *filters).messages[0]["jobs"]]


def test_filters(shell: Shell) -> None:
    shell.run("run", "demo", "seed", "1")
    shell.run("run", json.dumps({"1": {"class_type": "Raise", "inputs": {"message": "broken"}}}))
    shell.run("run", "demo", "seed", "2")
    assert ids(shell) == [3, 2, 1]
    assert ids(shell, "--workflow", "demo") == [3, 1]
    assert ids(shell, "--failed") == [2]
    assert ids(shell, "--failed", "-w", "demo") == []
    assert ids(shell, "--since", "1h") == [3, 2, 1]
    assert ids(shell, "--since", "2999-01-01") == []
    assert ids(shell, "-n", "1") == [3]
    assert "No ended job is like that." in shell.run("history", "--since", "2999-01-01").err
    wrong = shell.run("history", "--since", "yesterday")
    assert (wrong.status, "30m, 2h, 1d" in wrong.err) == (2, True)


def test_again_has_the_same_values_and_takes_others(shell: Shell) -> None:
    shell.run("run", "demo", "seed", "41", "prompt", "a red fox")
    first = shell.run("history", "--json").messages[0]["jobs"][0]
    same = shell.run("again", "1", "--json")
    assert same.status == 0
    assert same.messages[-1]["executed"] == []
    changed = shell.run("again", "1", "seed", "42")
    assert changed.status == 0
    newest, repeated, _ = shell.run("history", "--json").messages[0]["jobs"]
    assert repeated["overrides"] == first["overrides"]
    assert newest["overrides"] == first["overrides"] | {"5.seed": 42}
    assert newest["workflow"] == "demo"


def test_again_of_a_job_that_is_not_there(shell: Shell) -> None:
    shell.run("run", "demo")
    missed = shell.run("again", "99")
    assert (missed.status, missed.out) == (2, "")
    assert "There is no job 99" in missed.err


def test_texts_with_braces_are_not_drawn_again(shell: Shell) -> None:
    shell.run("run", "demo", "prompt", r"a \{red|green\} fox")
    shell.run("again", "1")
    newest, first = shell.run("history", "--json").messages[0]["jobs"]
    assert newest["overrides"] == first["overrides"] == {"2.text": "a {red|green} fox"}
