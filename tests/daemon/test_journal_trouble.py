"""A journal that cannot be used: one clear sentence, and the daemon answers what it can."""

import sqlite3

import pytest

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import (
    Accepted,
    Done,
    Failed,
    HistoryRequest,
    JobsReply,
    NodeStarted,
    PsReply,
    PsRequest,
    Queued,
    QueueRequest,
    Submit,
    Watch,
)
from tests.daemon_process import DaemonProcess, final, graph, read_to, submit, wait_until


def answers_what_it_can(daemon: DaemonProcess, client: Client) -> None:
    assert daemon.ready().engine.state == "ready"
    assert isinstance(client.call(PsRequest()), PsReply)
    assert client.call(QueueRequest()) == JobsReply(jobs=[])


def test_a_damaged_journal_is_moved_aside(daemon: DaemonProcess) -> None:
    daemon.paths.journal.parent.mkdir(parents=True)
    daemon.paths.journal.write_bytes(b"no database at all" * 1000)
    daemon.start()
    with daemon.client() as client:
        assert isinstance(client.call(submit("Echo", text="x")), Done)
    (aside,) = daemon.paths.journal.parent.glob("journal.sqlite.damaged-*")
    assert aside.read_bytes() == b"no database at all" * 1000
    assert f"was damaged; no job could be read, and the rest is in {aside}." in daemon.log
    assert str(aside) in daemon.status().notice


def test_a_journal_that_cannot_be_opened_refuses_jobs_and_nothing_else(daemon: DaemonProcess) -> None:
    daemon.paths.journal.mkdir(parents=True)
    daemon.start()
    with daemon.client() as client:
        for request in (submit("Echo", text="x"), HistoryRequest(), Watch(job=1)):
            with pytest.raises(errors.JournalUnavailable, match=r"journal\.sqlite cannot be opened"):
                client.call(request)
        answers_what_it_can(daemon, client)
        daemon.paths.journal.rmdir()
        assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_journal_that_can_be_read_later_gives_its_jobs_then(daemon: DaemonProcess) -> None:
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        jobs = [client.call(Submit(api=graph("WaitFor", path=str(gate)), follow=False)).job for _ in range(2)]
    daemon.kill()
    gate.touch()
    there = daemon.paths.state.rename(daemon.file("there"))
    (daemon.file("elsewhere") / daemon.paths.journal.name).mkdir(parents=True)
    daemon.paths.state.symlink_to(daemon.file("elsewhere"))
    daemon.start(max_running=1)
    daemon.ready()
    with daemon.client() as client:
        assert client.call(QueueRequest()) == JobsReply(jobs=[])
        daemon.file("link").symlink_to(there)
        daemon.file("link").rename(daemon.paths.state)
        wait_until(lambda: {job.id for job in client.call(HistoryRequest()).jobs} == set(jobs), "the end of both jobs")
        assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_journal_of_a_newer_comfyd_is_left_alone(daemon: DaemonProcess) -> None:
    daemon.paths.journal.parent.mkdir(parents=True)
    with sqlite3.connect(daemon.paths.journal) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    daemon.start()
    with daemon.client() as client:
        with pytest.raises(errors.JournalUnavailable, match="written by a newer comfyd"):
            client.call(submit("Echo", text="x"))
        answers_what_it_can(daemon, client)


def test_a_job_whose_end_cannot_be_written_down_ends_nevertheless(daemon: DaemonProcess) -> None:
    daemon.start()
    with daemon.client() as client:
        stream = client.stream(submit("WaitFor", path=str(daemon.file("gate"))))
        started = read_to(stream, type(next(stream)))
        assert started is not None
        wait_until(lambda: "job 1 started" in daemon.log, "the job's start")
        blocking = sqlite3.connect(daemon.paths.journal, isolation_level=None)
        blocking.execute("BEGIN EXCLUSIVE")
        daemon.file("gate").touch()
        *_, last = stream
        assert isinstance(last, Done)
        blocking.close()
        assert "is locked by another program" in daemon.log
        assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_job_whose_start_cannot_be_written_down_runs_nevertheless(daemon: DaemonProcess) -> None:
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        first, second = client.stream(submit("WaitFor", path=str(gate))), client.stream(submit("Echo", text="x"))
        read_to(first, NodeStarted)
        read_to(second, Accepted)
        blocking = sqlite3.connect(daemon.paths.journal, isolation_level=None)
        blocking.execute("BEGIN EXCLUSIVE")
        gate.touch()
        assert isinstance(final(first), Done)
        assert isinstance(final(second), Done)
        blocking.close()


def test_jobs_that_can_no_longer_be_read_fail_however_many_they_are(daemon: DaemonProcess) -> None:
    gate = daemon.file("gate")
    daemon.start(max_running=1)
    with daemon.client() as client:
        first = client.stream(submit("WaitFor", path=str(gate)))
        jobs = [client.call(Submit(api=graph("Echo", text="x"), follow=False)).job for _ in range(400)]
        with sqlite3.connect(daemon.paths.journal) as db:
            db.execute("DELETE FROM job WHERE id > 1")
        db.close()
        last = client.stream(Watch(job=jobs[-1]))
        assert isinstance(next(last), Queued)
        gate.touch()
        assert isinstance(final(first), Done)
        failed = final(last)
        assert isinstance(failed, Failed)
        assert failed.error.code == "journal-unavailable"
        answers_what_it_can(daemon, client)
