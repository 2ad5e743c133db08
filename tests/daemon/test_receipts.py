"""A job that is run again after a death leaves one result; what belongs to anybody else stays."""

import os
import signal
from pathlib import Path

import pytest

from comfyd.client import Client, stop_daemon
from comfyd.protocol import Done, JobEnd, Output
from tests.daemon_process import DaemonProcess, detach, end_of, final, graph, read_to, submit, wait_until


@pytest.fixture
def output(daemon: DaemonProcess) -> Path:
    folder = daemon.home / "output"
    folder.mkdir()
    return folder


def publishing(client: Client, daemon: DaemonProcess, output: Path) -> str:
    """A job that has published a file and goes on; the file."""
    stream = client.stream(submit("Publish", folder=str(output), until=str(daemon.file("gate"))))
    return read_to(stream, Output).files[0]


def content(output: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in output.iterdir()}


def receipts(daemon: DaemonProcess) -> list[str]:
    folder = daemon.paths.receipts
    return [file.name for file in folder.iterdir()] if folder.exists() else []


def files(end: JobEnd) -> list[str]:
    assert isinstance(end, Done), end
    return [Path(file).name for file in end.files]


def die_and_go_on(daemon: DaemonProcess, what: str = "daemon") -> None:
    """One of the two is killed; what waits for the gate goes on in the next one."""
    if what == "worker":
        os.kill(daemon.status().engine.pid, signal.SIGKILL)
        wait_until(lambda: daemon.log.count("engine ready") > 1, "the next worker")
        daemon.file("gate").touch()
    else:
        daemon.kill()
        daemon.file("gate").touch()
        daemon.start()


@pytest.mark.parametrize("what", ["worker", "daemon"])
def test_what_an_attempt_had_published_goes_with_it(daemon: DaemonProcess, output: Path, what: str) -> None:
    daemon.start()
    with daemon.client() as client:
        publishing(client, daemon, output)
        assert receipts(daemon) == ["1"]
        die_and_go_on(daemon, what)
    with daemon.client() as client:
        assert files(end_of(client, 1)) == ["1.txt"]
        wait_until(lambda: not receipts(daemon), "the receipt's end")
    assert content(output) == {"1.txt": "attempt 2"}
    assert "job 1 runs again; removed" in daemon.log


def test_what_a_job_that_was_stopped_had_published_goes_with_it(daemon: DaemonProcess, output: Path) -> None:
    daemon.start()
    with daemon.client() as client:
        publishing(client, daemon, output)
        stop_daemon(daemon.config, daemon.paths, now=True)
    daemon.file("gate").touch()
    daemon.start()
    with daemon.client() as client:
        assert files(end_of(client, 1)) == ["1.txt"]
    assert list(content(output)) == ["1.txt"]


def test_the_files_of_a_job_that_has_ended_stay(daemon: DaemonProcess, output: Path) -> None:
    daemon.file("gate").touch()
    daemon.start()
    with daemon.client() as client:
        end = client.call(submit("Publish", folder=str(output), until=str(daemon.file("gate"))))
        assert isinstance(end, Done)
    die_and_go_on(daemon)
    with daemon.client() as client:
        assert client.call(submit("Echo", text="x")) != end
    assert list(content(output)) == ["1.txt"]


def test_a_file_that_an_ended_job_was_told_of_stays(daemon: DaemonProcess, output: Path) -> None:
    """Two jobs share a result by the cache, and only one of them was heard to its end."""
    daemon.start()
    with daemon.client() as client:
        shared = publishing(client, daemon, output)
        assert files(client.call(submit("Share", file=shared))) == ["1.txt"]  # type: ignore[arg-type]
        die_and_go_on(daemon)
    with daemon.client() as client:
        assert files(end_of(client, 1)) == ["2.txt"]
    assert content(output) == {"1.txt": "attempt 1", "2.txt": "attempt 2"}


def test_a_file_that_two_jobs_share_goes_when_both_run_again(daemon: DaemonProcess, output: Path) -> None:
    gate = str(daemon.file("gate"))
    daemon.start()
    with daemon.client() as client:
        shared = publishing(client, daemon, output)
        sharing = graph("Share", file=shared) | {"2": graph("WaitFor", path=gate)["1"]}
        read_to(client.stream(submit("Echo", text="x")), Done)
        job = detach(client, sharing)
        wait_until(lambda: job in daemon.status().running, "the other job")
        die_and_go_on(daemon)
    with daemon.client() as client:
        assert files(end_of(client, 1)) == ["1.txt"]
        end_of(client, job)
    assert content(output) == {"1.txt": "attempt 2"}


def test_a_file_that_somebody_has_replaced_stays(daemon: DaemonProcess, output: Path) -> None:
    daemon.start()
    with daemon.client() as client:
        file = Path(publishing(client, daemon, output))
    daemon.kill()
    file.write_text("mine now!")
    daemon.file("gate").touch()
    daemon.start()
    with daemon.client() as client:
        assert files(end_of(client, 1)) == ["2.txt"]
    assert content(output) == {"1.txt": "mine now!", "2.txt": "attempt 2"}


def test_a_receipt_of_a_lost_journal_concerns_no_job_of_the_next(daemon: DaemonProcess, output: Path) -> None:
    daemon.start()
    with daemon.client() as client:
        publishing(client, daemon, output)
    daemon.kill()
    for file in daemon.paths.state.glob("journal*"):
        file.unlink()
    daemon.file("gate").touch()
    daemon.start()
    wait_until(lambda: not receipts(daemon), "the receipt's end")
    with daemon.client() as client:
        assert files(final(client.stream(submit("Publish", folder=str(output), until=str(daemon.file("gate")))))) == ["2.txt"]  # type: ignore[arg-type]
    assert sorted(content(output)) == ["1.txt", "2.txt"]


def test_a_new_job_has_no_receipt_whatever_lies_there(daemon: DaemonProcess, output: Path) -> None:
    daemon.start()
    with daemon.client() as client:
        publishing(client, daemon, output)
        later = daemon.paths.receipts / "2"
        later.write_bytes((daemon.paths.receipts / "1").read_bytes())
        client.call(submit("Echo", text="x"))
        assert not later.exists()
    assert list(content(output)) == ["1.txt"]


def test_where_no_receipts_can_be_written_jobs_run_all_the_same(daemon: DaemonProcess, output: Path) -> None:
    daemon.paths.receipts.parent.mkdir(parents=True)
    daemon.paths.receipts.write_text("in the way")
    daemon.file("gate").touch()
    daemon.start()
    with daemon.client() as client:
        for number in (1, 2):
            end = client.call(submit("Publish", folder=str(output), until=str(daemon.file("gate"))))
            assert files(end) == [f"{number}.txt"]  # type: ignore[arg-type]
    wait_until(lambda: "cannot be noted in" in daemon.log, "the warning")
