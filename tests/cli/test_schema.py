"""Every command with --json prints lines of the schema in the tree, and nothing that it does not name."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from comfyd_cli import schema
from comfyd_cli.commands import REPL, SHELL
from jsonschema import Draft202012Validator

from .conftest import Shell

FILE = Path(schema.__file__).with_name("schema.json")
GRAPH = '{"1": {"class_type": "Fail", "inputs": {}}}'
IN_SHELL: dict[str, list[Sequence[str]]] = {
    "run": [("demo", "seed", "1"), ("demo", "-d"), ("demo", "sed", "1"), ("fail.json",)],
    "again": [("1",)],
    "plan": [("demo", "seed", "2")],
    "sweep": [("demo", "seed", "1..2"), ("demo", "seed", "3,4", "--detach"), ("demo", "sed", "1,2")],
    "source": [("script.comfy",)],
    "params": [("demo",)],
    "nodes": [("sampler",)],
    "workflow list": [()],
    "workflow show": [("mine",)],
    "watch": [("1",), ("99",)],
    "cancel": [("1",)],
    "queue": [()],
    "history": [()],
    "ps": [()],
    "unload": [("--all",), ("nonsense",)],
    "status": [()],
    "doctor": [()],
    "engine status": [()],
    "config show": [()],
    "start": [()],
    "restart": [()],
    "stop": [()],
}
AT_THE_PROMPT: dict[str, list[str]] = {
    "run": ["run seed 1", "run nonsense 1"],
    "again": ["again"],
    "more": ["more 2"],
    "plan": ["plan"],
    "sweep": ["sweep seed 1..2"],
    "show": ["show"],
    "diff": ["set seed 3", "diff"],
    "source": ["source script.comfy"],
}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """That of the tree, which here refuses fields that it does not name."""
    made = json.loads(FILE.read_text())
    for struct in made["$defs"].values():
        struct.setdefault("additionalProperties", False)
    return Draft202012Validator(made)


@pytest.fixture
def filled(shell: Shell) -> Shell:
    """Files that the commands are given."""
    (shell.directory / "fail.json").write_text(GRAPH)
    (shell.directory / "script.comfy").write_text("# a script\nset seed 3\nrun\n")
    shell.run("workflow", "add", "fail.json", "mine")
    shell.run("run", "demo")
    return shell


def check(lines: str, validator: Draft202012Validator, command: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in lines.splitlines()]
    assert found, f"{command} printed nothing"
    for line in found:
        faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(line)]
        assert not faults, f"{command}: {line} is not of the schema: {faults[:1]}"
    return found


def test_the_schema_in_the_tree_is_that_of_the_structs():
    assert FILE.read_text() == schema.text() + "\n"
    Draft202012Validator.check_schema(json.loads(FILE.read_text()))


def test_all_commands_with_json_are_tried_here():
    def with_json(commands: Any) -> set[str]:
        return {command.name for command in commands if any(option.name == "json" for option in command.options)}

    assert set(IN_SHELL) == with_json(SHELL)
    assert set(AT_THE_PROMPT) == with_json(command for command in REPL if command.where == "repl")


def test_in_a_shell(filled: Shell, validator: Draft202012Validator):
    for command, invocations in IN_SHELL.items():
        for arguments in invocations:
            result = filled.run(*command.split(), *arguments, "--json")
            found = check(result.out, validator, command)
            assert found[-1]["type"] != "Error" or result.status


def test_at_the_prompt(filled: Shell, validator: Draft202012Validator):
    for command, lines in AT_THE_PROMPT.items():
        check(filled.run("source", "-", "-k", "--json", stdin="\n".join(lines)).out, validator, command)


@pytest.mark.parametrize("line", ['{"type":"Nonsense"}', '{"type":"CancelReply","job":1}', '{"job":1}'])
def test_what_is_no_line(line: str, validator: Draft202012Validator):
    assert not validator.is_valid(json.loads(line))
