"""config show, path and edit, in a real terminal with an editor that is a script."""

from pathlib import Path

import pytest

from .conftest import Shell, ended


def editor(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "my editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", f"'{program}'")


def test_show_says_where_each_value_was_set(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYD_MAX_QUEUE", "7")
    lines = shell.run("config", "show").out.splitlines()
    assert [line.split("  # ")[-1] for line in lines if line.startswith("max_queue = 7 ")] == ["COMFYD_MAX_QUEUE"]
    entry = shell.run("config", "show", "--json").messages[0]
    assert {s["name"]: s["origin"] for s in entry["settings"]}["max_queue"] == "COMFYD_MAX_QUEUE"


def test_edit_opens_a_file_that_names_every_setting(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(tmp_path, 'grep -q "# attempts = 2" "$1" && echo "attempts = 3" >> "$1"', monkeypatch)
    child = shell.open("config", "edit")
    child.expect("comfyd restart puts it into force")
    assert ended(child) == 0
    assert "attempts = 3" in Path(shell.run("config", "path").out.strip()).read_text()


def test_a_mistake_is_told_at_once(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(tmp_path, 'echo "attemps = 3" >> "$1"', monkeypatch)
    child = shell.open("config", "edit", columns=200)
    child.expect("did you mean 'attempts'")
    assert ended(child) == 2


def test_edit_needs_a_terminal(shell: Shell) -> None:
    assert shell.run("config", "edit").status == 2


@pytest.mark.parametrize("command", ["no-such-editor -w", "'unclosed"])
def test_an_editor_that_cannot_be_run_is_named(command: str, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)
    child = shell.open("config", "edit", columns=200)
    child.expect("EDITOR names '.*', which cannot be run; set it to the editor you use")
    assert ended(child) == 2
