"""Journals that older versions of comfyd have written: ``journals/N.sql`` is the dump of a file of schema N."""

import sqlite3
from pathlib import Path

import pytest

from comfyd.journal import Journal, Measurement
from comfyd.journal.schema import STEPS
from comfyd.protocol import Done, Failed, encode

DUMPS = sorted(Path(__file__).with_name("journals").glob("*.sql"))


def test_there_is_a_file_of_every_older_version() -> None:
    assert [int(dump.stem) for dump in DUMPS] == list(range(1, len(STEPS)))


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_jobs_of_an_older_version_are_taken_along(dump: Path, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    with sqlite3.connect(file) as old:
        old.executescript(dump.read_text())
    old.close()
    journal = Journal(file, history=100)
    assert [(job.id, job.state, job.workflow, job.overrides) for job in journal.ended(10)] == [
        (3, "cancelled", "demo", {"1.text": "t2"}),
        (2, "failed", "other", {"1.text": "t1"}),
        (1, "done", "demo", {"1.text": "t0"}),
    ]
    assert isinstance(journal.end_of(1), Done)
    assert isinstance(journal.end_of(2), Failed)
    assert journal.unfinished() == [(4, True, 1), (5, False, 0)]
    assert journal.graph(5)[0] == encode({"1": {"class_type": "Echo", "inputs": {"text": "x"}}})
    assert {job.sweep for job in journal.ended(10)} == {""}
    assert journal.add("new", {}, encode({}), encode({}), 2000.0, sweep="3/24 new-sweep") == 6
    assert [record.sweep for id in (5, 6) if (record := journal.record(id))] == ["", "3/24 new-sweep"]
    journal.measure([Measurement("e", "n", "s", 0, 1.0, 1.0, 0)])
    assert len(journal.measured("exact", "e", 0, 5)) == 1
    journal.close()
    with sqlite3.connect(file) as new:
        assert new.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    new.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "journal.sqlite"
    with sqlite3.connect(file) as old:
        old.executescript(DUMPS[0].read_text())
    old.close()
    monkeypatch.setattr("comfyd.journal.schema.STEPS", (*STEPS, "CREATE TABLE new (x); INSERT INTO new VALUES (1, 2);"))
    with pytest.raises(Exception, match="journal"):
        Journal(file, history=100).newest()
    monkeypatch.undo()
    journal = Journal(file, history=100)
    assert journal.newest() == 5
    journal.close()
