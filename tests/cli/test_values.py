"""Values as people type them, through the daemon: unquoted prompts, relative seeds, drawn choices, files of their own."""

import json
from pathlib import Path
from typing import Any

from .conftest import Shell

PICTURE: dict[str, Any] = {"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}


PROMPT, ODD = "prompt a seed in the soil seed 42", "prompt a fox seed 42 43"


def overrides(shell: Shell, *words: str) -> dict[str, Any]:
    """What a run was accepted with."""
    result = shell.run("run", "demo", *words, "--json")
    assert result.status == 0, result.err
    found: dict[str, Any] = next(message for message in result.messages if message["type"] == "Accepted")["overrides"]
    return found


def test_a_prompt_needs_no_quotes(shell: Shell):
    assert overrides(shell, *PROMPT.split()) == {"2.text": "a seed in the soil", "5.seed": 42}
    refused = shell.run("run", "demo", *ODD.split())
    assert refused.status == 2
    assert "After prompt 'a fox', seed '42': unknown parameter '43'" in refused.err.replace("\n", " ")


def test_seeds_count_on_from_the_last_run_of_the_workflow(shell: Shell):
    own = json.loads((Path(__file__).parents[2] / "comfyd" / "demo" / "workflow.json").read_text())["5"]["inputs"]["seed"]
    assert overrides(shell, "seed", "+1") == {"5.seed": own + 1}
    assert overrides(shell, "seed", "+1") == {"5.seed": own + 2}
    assert overrides(shell, "seed", "-1") == {"5.seed": own + 1}
    random = overrides(shell, "seed", "random")["5.seed"]
    assert overrides(shell, "seed", "+1") == {"5.seed": random + 1}
    recorded = shell.run("history", "--json").messages[0]["jobs"]
    assert [job["overrides"]["5.seed"] for job in recorded][:2] == [random + 1, random]


def test_choices_are_drawn_by_the_seed_and_recorded_drawn(shell: Shell):
    found = {overrides(shell, "prompt", "a", "{red|green}", "fox", "seed", str(seed))["2.text"] for seed in range(6)}
    assert found == {"a red fox", "a green fox"}


def test_a_local_file_is_put_before_the_engine_at_once(shell: Shell, tmp_path: Path):
    (tmp_path / "load.json").write_text(json.dumps(PICTURE))
    (tmp_path / "cat.png").write_bytes(b"a cat")
    assert shell.run("run", "load.json").status == 0
    result = shell.run("run", "load.json", "image", "./cat.png", "--json")
    assert result.status == 0, result.err
    assert "'cat.png' was copied to the engine's input folder as cat-51e467415607.png" in result.err
    assert (shell.daemon.paths.data / "input" / "cat-51e467415607.png").read_bytes() == b"a cat"
    assert result.messages[-1]["outputs"]["1"] == {"text": ["cat-51e467415607.png"]}
    missing = shell.run("run", "load.json", "image", "./dog.png")
    assert (missing.status, missing.err.splitlines()[-1]) == (2, "comfyd: There is no file 'dog.png'; check its name.")


def test_the_repl_takes_unquoted_prompts_and_texts_of_several_lines(shell: Shell):
    lines = ["prompt a red fox seed 3 --quiet", 'set prompt """', "a seed", 'in the soil""" seed 5', "show", "run --json", ""]
    result = shell.run(stdin="\n".join(lines))
    assert result.status == 0, result.err
    assert any("* a seed\\nin the soil" in line for line in result.out.splitlines())
    accepted = next(json.loads(line) for line in result.out.splitlines() if line.startswith('{"type":"Accepted"'))
    assert accepted["overrides"] == {"2.text": "a seed\nin the soil", "5.seed": 5}
