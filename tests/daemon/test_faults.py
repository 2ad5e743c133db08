"""Disks, clocks and files that fail under a daemon: one sentence each, and nothing lost that was acknowledged."""

import contextlib
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from comfyd import errors
from comfyd.protocol import Done, HistoryRequest, JobsReply, QueueRequest, Stop, Stopped
from tests.daemon_process import DaemonProcess, alive, detach, end_of, graph, submit, wait_until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_new_jobs_and_loses_none(daemon: DaemonProcess, small_disk: Path) -> None:
    daemon.paths.state.symlink_to(small_disk)
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        jobs = [detach(client, graph("WaitFor", path=str(gate)))]
        with pytest.raises(errors.JournalUnavailable, match="has no space left; free some on its disk and try again"):
            jobs.extend(detach(client, graph("Echo", text="x" * 20_000)) for _ in range(100))
        assert len(client.call(QueueRequest()).jobs) == len(jobs)  # type: ignore[union-attr]
        daemon.kill()
    daemon.paths.log.write_text("")  # room for a restart
    daemon.start(max_running=1)
    gate.touch()
    with daemon.client() as client:
        assert all(isinstance(end_of(client, job), Done) for job in jobs)


def test_on_a_full_disk_the_jobs_that_wait_run(daemon: DaemonProcess, small_disk: Path) -> None:
    daemon.paths.state.symlink_to(small_disk)
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        jobs = [detach(client, graph("WaitFor", path=str(gate)))]
        with pytest.raises(errors.JournalUnavailable):
            jobs.extend(detach(client, graph("Echo", text="x" * 20_000)) for _ in range(100))
        with (small_disk / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
            while True:
                rest.write(b"x" * 512)
        with pytest.raises(errors.JournalUnavailable):
            detach(client, graph("Echo", text="x" * 20_000))
        gate.touch()
        wait_until(lambda: client.call(QueueRequest()) == JobsReply(jobs=[]), "the end of all jobs")
        subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
        assert isinstance(client.call(submit("Echo", text="x")), Done)
        reply = client.call(HistoryRequest())
        assert isinstance(reply, JobsReply)
        assert sorted((record.id, record.state) for record in reply.jobs)[:-1] == [(job, "done") for job in jobs]


def test_a_read_only_journal_refuses_jobs_and_runs_those_it_has(daemon: DaemonProcess) -> None:
    gate = daemon.file("gate")
    daemon.start()
    with daemon.client() as client:
        kept = detach(client, graph("WaitFor", path=str(gate)))
        with sqlite3.connect(daemon.paths.journal) as other:
            other.execute("PRAGMA journal_mode")
            other.execute("CREATE TRIGGER read_only BEFORE INSERT ON job BEGIN SELECT RAISE(ABORT, 'readonly database'); END")
        other.close()
        with pytest.raises(errors.JournalUnavailable, match="cannot be written; make it writable for you and try again"):
            client.call(submit("Echo", text="x"))
        gate.touch()
        assert isinstance(end_of(client, kept), Done)
        with sqlite3.connect(daemon.paths.journal) as other:
            other.execute("DROP TRIGGER read_only")
        other.close()
        assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_removed_state_directory_costs_no_job(daemon: DaemonProcess) -> None:
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        jobs = [detach(client, graph("WaitFor", path=str(gate))), detach(client, graph("Echo", text="x"))]
        shutil.rmtree(daemon.paths.state)
        jobs.append(detach(client, graph("Echo", text="y")))
        assert "was removed; all that was in it is there again" in daemon.status().notice
        assert "job 3 queued" in daemon.log
        daemon.kill()
    gate.touch()
    daemon.start()
    with daemon.client() as client:
        assert all(isinstance(end_of(client, job), Done) for job in jobs)


@pytest.fixture
def immutable() -> Iterator[Callable[..., None]]:
    """Makes files such that not even root can write them."""
    changed: set[str] = set()

    def set_to(which: bool, files: Iterable[Path]) -> None:
        names = [str(file) for file in files]
        changed.update(names)
        command = ["chattr", "+i" if which else "-i", *names]
        if not shutil.which("chattr") or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("only root can do that, and only on some file systems")

    yield set_to
    subprocess.run(["chattr", "-i", *changed], capture_output=True, check=False)


@pytest.mark.parametrize("what", ["journal.sqlite*", "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"])
def test_an_open_journal_that_becomes_read_only_costs_neither_daemon_nor_jobs(
    what: str, daemon: DaemonProcess, immutable: Callable[..., None]
) -> None:
    """SQLite maps its wal-index, and writing to a mapped file that has become read-only is death by SIGBUS."""
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        jobs = [detach(client, graph("WaitFor", path=str(gate)))]
        jobs += [detach(client, graph("Echo", text=text)) for text in ("a", "b")]
        wait_until(lambda: daemon.status().running == jobs[:1], "a running job")
        files = list(daemon.paths.journal.parent.glob(what))
        immutable(True, files)
        for _ in range(2):
            if what != "journal.sqlite":  # what is new goes elsewhere
                with pytest.raises(errors.JournalUnavailable, match="cannot be written; make it writable for you and try again"):
                    client.call(submit("Echo", text="x"))
        gate.touch()
        assert isinstance(end_of(client, jobs[0]), Done)
        immutable(False, files)
        for job in jobs:
            assert isinstance(end_of(client, job), Done)
        assert isinstance(client.call(submit("Echo", text="x")), Done)
        history = client.call(HistoryRequest())
        assert isinstance(history, JobsReply)
        assert {record.id for record in history.jobs if record.state == "done"} >= set(jobs)


def test_a_daemon_that_ends_while_its_journal_is_read_only_loses_nothing(
    daemon: DaemonProcess, immutable: Callable[..., None]
) -> None:
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        jobs = [detach(client, graph("WaitFor", path=str(gate))), detach(client, graph("Echo", text="x"))]
        wait_until(lambda: daemon.status().running == jobs[:1], "a running job")
        files = list(daemon.paths.journal.parent.glob("journal.sqlite*"))
        immutable(True, files)
        pid = daemon.pid
        assert isinstance(client.call(Stop(now=True)), Stopped)
    wait_until(lambda: not alive(pid), "the daemon's end")
    assert "stopped; 2 jobs wait for the next start" in daemon.log
    immutable(False, files)
    gate.touch()
    daemon.start()
    with daemon.client() as client:
        assert all(isinstance(end_of(client, job), Done) for job in jobs)


def test_of_a_journal_cut_short_what_can_be_read_is_taken_over(daemon: DaemonProcess) -> None:
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        detach(client, graph("WaitFor", path=str(gate)))
        for number in range(60):
            detach(client, graph("Echo", text=f"{number} " * 300))
        daemon.kill()
    with sqlite3.connect(daemon.paths.journal) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with daemon.paths.journal.open("r+b") as file:
        file.truncate(file.seek(0, 2) * 6 // 10)
    gate.touch()
    daemon.start(max_running=1)
    with daemon.client() as client:
        assert isinstance(end_of(client, 1), Done)
        assert isinstance(end_of(client, 10), Done)
        done = client.call(submit("Echo", text="next"))
        assert isinstance(done, Done)
        assert done.job == 62  # no number is given again
        notice = daemon.status().notice
    saved = int(notice.split("the ")[1].split()[0])
    assert 10 <= saved < 61
    assert "jobs that could be read were taken over, and the rest is in" in notice
    assert notice in daemon.log


def test_a_clock_that_was_set_back_changes_no_order(daemon: DaemonProcess) -> None:
    """As after a day in the future: the journal's times lie ahead of the clock."""
    daemon.start()
    with daemon.client() as client:
        client.call(submit("Echo", text="x"))
    daemon.kill()
    ahead = time.time() + 86400
    with sqlite3.connect(daemon.paths.journal) as db:
        db.execute("UPDATE job SET created = ?, started = ?, finished = ?", (ahead, ahead, ahead))
        columns = "state, workflow, overrides, graph, extra_data, created"
        db.execute(f"INSERT INTO job ({columns}) SELECT 'queued', workflow, overrides, graph, extra_data, created FROM job")
    db.close()
    daemon.start()
    with daemon.client() as client:
        assert isinstance(end_of(client, 2), Done)
        assert isinstance(client.call(submit("Echo", text="y")), Done)
        reply = client.call(HistoryRequest())
        assert isinstance(reply, JobsReply)
        assert sorted(record.id for record in reply.jobs) == [1, 2, 3]
        assert all(record.state == "done" for record in reply.jobs)
