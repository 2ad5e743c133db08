"""The journal on a real SQLite file."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd.effects import End
from comfyd.errors import JournalUnavailable
from comfyd.journal import Journal, Measurement
from comfyd.protocol import Cancelled, Done, ErrorInfo, Failed, encode

GRAPH = encode({"1": {"class_type": "Echo", "inputs": {}}})
EXTRA = encode({})
DONE = Done(job=1, seconds=1.5, executed=["1"], nodes_total=4, files=["a.png"], peak_memory=9)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    opened = Journal(file, history=10)
    yield opened
    opened.close()


def add(journal: Journal, name: str = "demo") -> int:
    return journal.add(name, {"1.seed": 7}, GRAPH, EXTRA, now=100.0)


def end(journal: Journal, job: int, now: float = 200.0) -> None:
    journal.end(End(job, Cancelled(job=job)), now)


def test_a_job_is_kept_with_everything_that_was_given(journal: Journal) -> None:
    job = add(journal)
    record = journal.record(job)
    assert record is not None
    assert (record.state, record.workflow, record.overrides, record.created) == ("queued", "demo", {"1.seed": 7}, 100.0)
    assert journal.graph(job) == (GRAPH, EXTRA, "")
    assert journal.end_of(job) is None


def test_the_files_told_are_those_of_jobs_that_ended_then_or_later(journal: Journal) -> None:
    for number, name in enumerate(["early.png", "späte 图.png", "later.png"]):
        journal.end(End(add(journal), DONE, files=[name, "shared.png"]), 100.0 + number)
    add(journal)
    end(journal, add(journal))
    assert journal.told(101.0) == {"späte 图.png", "later.png", "shared.png"}
    assert journal.told(103.0) == set()


def test_a_job_goes_through_its_states(journal: Journal) -> None:
    job = add(journal)
    journal.start(job, 1, 150.0)
    assert journal.unfinished() == [(job, True, 1)]
    journal.requeue(job, 1)
    assert journal.unfinished() == [(job, False, 1)]
    journal.start(job, 2, 160.0)
    journal.end(End(job, DONE, reported=True, nodes_total=4, nodes_run=1, files=["a.png"]), 200.0)
    assert journal.unfinished() == []
    assert journal.end_of(job) == DONE
    record = journal.record(job)
    assert record is not None
    assert (record.state, record.attempts, record.started, record.finished) == ("done", 2, 160.0, 200.0)
    assert (record.nodes_run, record.nodes_total, record.files, record.peak_memory) == (1, 4, ["a.png"], 9)


def test_a_failure_is_kept_with_its_error(journal: Journal) -> None:
    job = add(journal)
    error = ErrorInfo(code="node-failed", message="Node 1 failed.", detail="trace")
    journal.end(End(job, Failed(job=job, error=error), files=["half.png"]), 200.0)
    record = journal.record(job)
    assert record is not None
    assert (record.state, record.error, record.files) == ("failed", error, ["half.png"])


def test_what_was_written_is_there_for_the_next_daemon(file: Path, journal: Journal) -> None:
    first, second = add(journal), add(journal)
    journal.start(first, 1, 150.0)
    other = Journal(file, history=10)  # the first one is still open, as after a kill
    assert other.unfinished() == [(first, True, 1), (second, False, 0)]
    other.close()


def test_history_is_newest_first_and_limited(journal: Journal) -> None:
    jobs = [add(journal) for _ in range(3)]
    for order, job in enumerate([jobs[1], jobs[0], jobs[2]]):
        end(journal, job, now=200.0 + order)
    assert [record.id for record in journal.ended(2)] == [jobs[2], jobs[0]]


def test_old_history_is_forgotten_but_no_number_is_used_twice(journal: Journal) -> None:
    waiting = add(journal)
    for _ in range(20):
        end(journal, add(journal))
    kept = [record.id for record in journal.ended(100)]
    assert len(kept) == 10
    assert kept[0] == 21
    assert journal.record(waiting) is not None
    assert journal.newest() == 21
    assert add(journal) == 22


def test_an_unknown_job_is_nothing(journal: Journal) -> None:
    assert journal.record(5) is None
    assert journal.end_of(5) is None
    assert journal.newest() == 0
    with pytest.raises(JournalUnavailable, match="Job 5 is no longer in the journal"):
        journal.graph(5)


# ---------------------------------------------------------------- failures


def test_a_file_that_is_no_database_is_moved_aside(file: Path, journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    file.parent.mkdir()
    file.write_bytes(b"this was a journal once" * 100)
    assert add(journal) == 1
    (aside,) = file.parent.glob("journal.sqlite.damaged-*[0-9]")
    assert aside.read_bytes() == b"this was a journal once" * 100
    assert str(aside) in caplog.text


def test_damage_found_later_is_reported_and_the_next_use_saves_what_it_can(file: Path, journal: Journal) -> None:
    assert [add(journal) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(JournalUnavailable, match="failed"), journal._transaction():
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert add(journal) == 4  # not 1, which a job that has not ended may have
    assert [job for job, _, _ in journal.unfinished()] == [1, 2, 3, 4]
    (aside,) = file.parent.glob("journal.sqlite.damaged-*[0-9]")
    with sqlite3.connect(aside) as db:
        assert db.execute("SELECT count(*) FROM job").fetchone() == (3,)
    db.close()


def test_of_a_damaged_journal_whose_first_jobs_are_long_forgotten_the_others_are_saved(file: Path, journal: Journal) -> None:
    add(journal)
    with journal._transaction() as db:
        db.execute("UPDATE job SET id = 50000")
    assert add(journal) == 50001
    with pytest.raises(JournalUnavailable), journal._transaction():
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert [job for job, _, _ in journal.unfinished()] == [50000, 50001]
    assert "the 2 jobs that could be read" in journal.notice


def test_what_a_damaged_journal_says_of_itself_is_not_believed(file: Path, journal: Journal) -> None:
    add(journal)
    with journal._transaction() as db:
        db.execute("UPDATE sqlite_sequence SET seq = ?", (2**62,))
    with pytest.raises(JournalUnavailable), journal._transaction():
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert [job for job, _, _ in journal.unfinished()] == [1]


def test_a_read_only_database_is_named(journal: Journal) -> None:
    add(journal)
    assert journal._connection is not None
    journal._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalUnavailable, match="cannot be written; make it writable"):
        add(journal)


def test_once_writable_again_it_is_written(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    add(journal)
    journal.close()
    connect = journal._connect

    def read_only() -> sqlite3.Connection:
        db = connect()
        db.execute("PRAGMA query_only = ON")
        return db

    monkeypatch.setattr(journal, "_connect", read_only)
    with pytest.raises(JournalUnavailable, match="cannot be written"):
        add(journal)
    assert journal.newest() == 1
    monkeypatch.undo()
    assert [add(journal), add(journal)] == [2, 3]
    kept = journal._connection
    assert journal.newest() == 3
    assert journal._connection is kept


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_was_removed_while_it_was_open_is_written_anew(what: str, file: Path, journal: Journal) -> None:
    assert [add(journal), add(journal)] == [1, 2]
    if what == "directory":
        shutil.rmtree(file.parent)
    else:
        for part in list(file.parent.iterdir()):
            part.unlink()
    assert add(journal) == 3
    assert "was removed; all that was in it is there again" in journal.notice
    other = Journal(file, history=10)  # as after a kill
    assert [job for job, _, _ in other.unfinished()] == [1, 2, 3]
    other.close()


def test_a_removed_journal_that_cannot_be_written_anew_is_kept_open(file: Path, journal: Journal) -> None:
    add(journal)
    shutil.rmtree(file.parent)
    file.parent.touch()
    with pytest.raises(JournalUnavailable):
        add(journal)
    file.parent.unlink()
    assert add(journal) == 2
    assert [job for job, _, _ in journal.unfinished()] == [1, 2]


def test_a_newer_schema_is_left_alone(file: Path, journal: Journal) -> None:
    add(journal)
    journal.close()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalUnavailable, match="written by a newer comfyd"):
        journal.unfinished()
    assert file.exists()


def test_a_locked_file_is_named(file: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfyd.journal.database._PATIENCE", 0.0)
    add(journal)
    journal.close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalUnavailable, match="locked by another program"):
        add(journal)
    other.close()
    assert add(journal) == 2


def test_a_full_disk_is_named_and_no_reason_for_a_restart(file: Path, journal: Journal) -> None:
    add(journal)
    assert journal._connection is not None
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    kept = journal._connection
    with pytest.raises(JournalUnavailable, match="no space left"):
        journal.add("large", {}, b"x" * 1_000_000, EXTRA, 100.0)
    assert add(journal) == 2
    assert journal._connection is kept  # to open it anew takes room as well


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_file_that_cannot_be_written_is_named(file: Path, journal: Journal) -> None:
    add(journal)
    journal.close()
    file.chmod(0o400)
    file.parent.chmod(0o500)
    with pytest.raises(JournalUnavailable, match=r"cannot be (written|opened)"):
        add(journal)
    file.parent.chmod(0o700)


def test_a_directory_in_the_way_is_named(file: Path, journal: Journal) -> None:
    file.mkdir(parents=True)
    with pytest.raises(JournalUnavailable, match="cannot be opened"):
        add(journal)


def test_a_statement_that_fails_leaves_nothing_behind(journal: Journal) -> None:
    add(journal)

    def insert_and_fail() -> None:
        with journal._transaction() as db:
            db.execute("INSERT INTO job (state, workflow, overrides, graph, extra_data, created) VALUES ('', '', '', '', '', 1)")
            db.execute("SELECT nonsense")

    with pytest.raises(JournalUnavailable):
        insert_and_fail()
    assert journal.newest() == 1


def measurement(exact: str = "e", cold: int = 0, seconds: float = 1.0, peak: int = 0) -> Measurement:
    return Measurement(exact, "n", "s", cold, 1.0, seconds, peak)


def test_what_was_measured_last_comes_first(journal: Journal) -> None:
    journal.measure([measurement(seconds=float(i)) for i in range(5)] + [measurement("other"), measurement(cold=1)])
    assert [each.seconds for each in journal.measured("exact", "e", 0, 3)] == [4.0, 3.0, 2.0]
    assert len(journal.measured("near", "n", 0, 100)) == 6
    assert len(journal.measured("exact", "e", 1, 100)) == 1


def test_the_least_peak_is_that_of_jobs_whose_memory_is_known(journal: Journal) -> None:
    assert journal.least_peak("s") is None
    journal.measure([measurement(peak=0), measurement(peak=7), measurement(peak=5)])
    assert journal.least_peak("s") == 5


def test_the_oldest_measurements_are_forgotten(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfyd.journal.measurements._KEPT", 10)
    for i in range(4):
        journal.measure([measurement(seconds=float(i))] * 5)
    assert {each.seconds for each in journal.measured("exact", "e", 0, 100)} == {2.0, 3.0}


def test_jobs_that_have_begun_newest_first(journal: Journal) -> None:
    first, second, other = add(journal), add(journal), add(journal, "other")
    add(journal)  # waits
    for job in (first, second, other):
        journal.start(job, 1, 150.0)
    end(journal, first, now=160.0)
    assert [(job.id, job.state, job.finished, job.end) for job in journal.begun("demo", 5)] == [
        (second, "running", None, None),
        (first, "cancelled", 160.0, Cancelled(job=first)),
    ]
    assert [job.id for job in journal.begun(None, 2)] == [other, second]
    assert journal.begun("demo", 1)[0].graph == GRAPH
