"""What files tell: the catalogue, workflows and paths."""

import json
import os
import shutil
from pathlib import Path

import pytest
from comfyd_cli.commands import REPL
from comfyd_cli.completion import for_words
from comfyd_cli.completion.known import Known

from comfyd import config
from comfyd.effects import End
from comfyd.journal import Journal
from comfyd.protocol import Cancelled
from comfyd.workflow import load

from .conftest import CATALOGUE


@pytest.fixture
def known(tmp_path: Path) -> Known:
    paths = config.paths({"COMFYD_HOME": str(tmp_path)})
    paths.cache.mkdir(parents=True)
    shutil.copyfile(CATALOGUE, paths.cache / "catalogue-1.json")
    return Known(paths, REPL, workflow="demo")


def test_parameters_of_the_sessions_workflow(known: Known) -> None:
    index = known.index(None)
    assert index is not None
    assert index is known.index("demo")
    assert index.parameter("seed") is not None


def test_a_workflow_that_has_changed_is_read_anew(known: Known, tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(load("demo").api))
    before = known.index(str(file))
    os.utime(file, ns=(1, 1))
    assert before is not None
    assert known.index(str(file)) is not before


@pytest.mark.parametrize("workflow", ["nowhere.json", "-", "\0", "x" * 5000])
def test_a_workflow_that_cannot_be_read_has_no_parameters(known: Known, workflow: str) -> None:
    assert known.index(workflow) is None


def test_without_a_catalogue_there_are_no_parameters(tmp_path: Path) -> None:
    assert Known(config.paths({"COMFYD_HOME": str(tmp_path)})).index("demo") is None


def test_paths(known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    for name in ("flow.json", "note.txt", ".hidden.json"):
        (here / name).touch()
    (here / "sub" / "deep.json").touch()
    monkeypatch.chdir(here)
    assert list(known.paths("", (".json",))) == ["flow.json", "sub/"]
    assert list(known.paths("sub/", (".json",))) == ["sub/deep.json"]
    assert list(known.paths(".h", (".json",))) == [".hidden.json"]
    assert list(known.paths(f"{here}/su")) == [f"{here}/flow.json", f"{here}/note.txt", f"{here}/sub/"]
    assert list(known.paths("nowhere/")) == []
    assert [each.text for each in for_words(["use", "sub/d"], known) if each.kind == "path"] == ["sub/deep.json"]


def test_workflows(known: Known) -> None:
    assert list(known.workflows()) == [("demo", "built in")]


def test_jobs_and_values_of_the_journal(known: Known, tmp_path: Path) -> None:
    assert list(known.jobs()) == []
    journal = Journal(config.paths({"COMFYD_HOME": str(tmp_path)}).journal, history=10)
    for seed in (1, 2, 2, 3):
        journal.add("demo", {"5.seed": seed}, b"", b"", now=1.0)
    journal.add("other", {"5.seed": 9}, b"", b"", now=1.0)
    journal.end(End(1, Cancelled(job=1)), 2.0)
    index = known.index("demo")
    assert index is not None
    assert list(known.recent(index, "5.seed")) == [3, 2, 1]
    assert list(known.recent(index, "5.steps")) == []
    assert list(known.jobs()) == [(2, "demo"), (3, "demo"), (4, "demo"), (5, "other")]
    journal.close()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_journal_that_cannot_be_read_tells_nothing(known: Known, tmp_path: Path, content: bytes) -> None:
    file = config.paths({"COMFYD_HOME": str(tmp_path)}).journal
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert list(known.jobs()) == []
