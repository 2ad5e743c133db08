"""The daemon dies, is started twice, or stops: no accepted job is lost, and everybody is told."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from comfyd import errors
from comfyd.client import Client, listens, start_daemon, stop_daemon
from comfyd.protocol import (
    Accepted,
    Done,
    Failed,
    HistoryRequest,
    JobsReply,
    NodeStarted,
    Started,
    Stop,
    Stopped,
    Submit,
    Watch,
)
from comfyd.starting import start_or_join
from tests.daemon_process import LIMIT, DaemonProcess, alive, final, graph, read_to, submit, wait_until


def test_queued_and_running_jobs_survive_a_kill(daemon: DaemonProcess) -> None:
    daemon.start(max_running=1)
    with daemon.client() as client:
        running = client.stream(submit("WaitFor", path=str(daemon.file("gate"))))
        read_to(running, NodeStarted)
        client.call(Submit(api=graph("Echo", text="queued"), follow=False))
        daemon.kill()
        with pytest.raises(errors.DaemonUnavailable, match=r"job 1 .* runs again at the next start if it has an attempt left"):
            final(running)
    daemon.file("gate").touch()
    daemon.start(max_running=1)
    with daemon.client() as client:
        assert isinstance(client.call(Watch(job=1)), Done)
        done = client.call(Watch(job=2))
        assert isinstance(done, Done)
        assert done.outputs == {"1": {"text": ["queued"]}}
        reply = client.call(HistoryRequest())
        assert isinstance(reply, JobsReply)
        assert {job.id: (job.state, job.attempts) for job in reply.jobs} == {1: ("done", 2), 2: ("done", 1)}


def test_a_job_that_ran_when_its_daemon_died_is_interrupted_once_its_attempts_are_used_up(daemon: DaemonProcess) -> None:
    daemon.start(attempts=1)
    with daemon.client() as client:
        read_to(client.stream(submit("WaitFor", path=str(daemon.file("never")))), NodeStarted)
    daemon.kill()
    daemon.start(attempts=1)
    with daemon.client() as client:
        failed = client.call(Watch(job=1))
        assert isinstance(failed, Failed)
        assert failed.error.code == "interrupted"


def test_a_dead_daemon_is_noticed_by_a_client_that_waits_for_it(daemon: DaemonProcess, client: Client) -> None:
    stream = client.stream(submit("WaitFor", path=str(daemon.file("never"))))
    read_to(stream, NodeStarted)
    timer = threading.Timer(0.05, daemon.kill)
    timer.start()
    with pytest.raises(errors.DaemonUnavailable):
        final(stream)
    timer.join()


# ---------------------------------------------------------------- one daemon per socket


def test_a_second_daemon_says_that_one_is_running(daemon: DaemonProcess) -> None:
    daemon.start()
    with pytest.raises(errors.DaemonRunning, match=f"process {daemon.pid}"):
        start_daemon(daemon.config, daemon.paths)
    command = [sys.executable, "-m", "comfyd.daemon", "--foreground"]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == errors.ExitStatus.UNAVAILABLE
    assert f"A daemon is already running (process {daemon.pid})" in second.stderr
    assert daemon.status().pid == daemon.pid


def test_a_daemon_of_another_session_does_not_run_the_same_jobs(daemon: DaemonProcess) -> None:
    daemon.start()
    elsewhere = msgspec.structs.replace(daemon.paths, run=daemon.home / "other-run")
    with pytest.raises(errors.DaemonRunning, match=f"process {daemon.pid}.*uses the journal.*XDG_RUNTIME_DIR"):
        start_daemon(daemon.config, elsewhere)
    assert list(elsewhere.run.iterdir()) == []


def test_what_a_dead_daemon_left_is_cleared(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    daemon.kill()
    assert daemon.paths.socket.exists()
    assert daemon.paths.pid_file.exists()
    assert not listens(daemon.paths)
    assert list(daemon.paths.run.glob("worker-*.sock"))
    daemon.say_at_start("exit")
    assert daemon.start().status().pid == daemon.pid
    wait_until(lambda: daemon.status().engine.state == "failed", "the worker's end")
    assert {file.name for file in daemon.paths.run.iterdir()} == {"comfyd.sock", "comfyd.pid"}


def test_a_pid_file_that_names_a_living_stranger_is_no_obstacle(daemon: DaemonProcess) -> None:
    daemon.paths.run.mkdir(parents=True)
    daemon.paths.pid_file.write_text(f"{os.getpid()}\n")
    assert daemon.start().status().pid == daemon.pid != os.getpid()


def test_clients_that_start_a_daemon_at_the_same_time_share_it(daemon: DaemonProcess) -> None:
    pids = []

    def connect() -> None:
        with Client(daemon.config, daemon.paths).connect():
            pids.append(daemon.status().pid)

    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 4
    assert len(set(pids)) == 1


def test_the_first_command_starts_the_daemon_unless_it_may_not(daemon: DaemonProcess) -> None:
    with pytest.raises(errors.DaemonUnavailable, match="comfyd start"):
        daemon.client()
    with Client(daemon.config, daemon.paths).connect() as client:
        assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_client_goes_on_with_the_next_daemon(daemon: DaemonProcess) -> None:
    with Client(daemon.config, daemon.paths).connect() as client:
        client.call(submit("Echo", text="x"))
        daemon.kill()
        wait_until(client._idle)
        assert isinstance(client.call(submit("Echo", text="y")), Done)


# ---------------------------------------------------------------- a start that fails


def test_a_daemon_that_cannot_start_says_why(daemon: DaemonProcess) -> None:
    daemon.paths.log.parent.mkdir(parents=True)
    daemon.paths.log.mkdir()
    with pytest.raises(errors.DaemonUnavailable, match=r"comfyd\.log"):
        start_daemon(daemon.config, daemon.paths)


def test_a_configuration_that_is_wrong_is_an_error_of_the_daemon_too(daemon: DaemonProcess) -> None:
    daemon.paths.config_file.write_text("max_runing = 3")
    command = [sys.executable, "-m", "comfyd.daemon", "--foreground"]
    daemon_itself = subprocess.run(command, capture_output=True, text=True, check=False)
    assert daemon_itself.returncode == errors.ExitStatus.REFUSED
    assert "max_runing" in daemon_itself.stderr


def test_a_daemon_that_dies_without_a_word_is_reported(daemon: DaemonProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(errors.DaemonUnavailable, match="ended at its start"):
        start_daemon(daemon.config, daemon.paths)


def test_start_returns_while_the_worker_still_starts(daemon: DaemonProcess) -> None:
    daemon.say_at_start(f"wait {daemon.file('never')}")
    assert daemon.start().status().engine.state == "starting"


def test_the_directory_of_the_socket_is_private(daemon: DaemonProcess) -> None:
    daemon.start()
    assert daemon.paths.run.stat().st_mode & 0o777 == 0o700


# ---------------------------------------------------------------- stopping


def test_stop_finishes_what_runs_and_keeps_what_waits(daemon: DaemonProcess) -> None:
    daemon.start(max_running=1)
    with daemon.client() as client, daemon.client() as stopper:
        running = client.stream(submit("WaitFor", path=str(daemon.file("gate"))))
        read_to(running, NodeStarted)
        waiting = client.stream(submit("Echo", text="later"))
        read_to(waiting, Accepted)
        pid = daemon.pid
        stopping = threading.Thread(target=lambda: replies.append(stopper.call(Stop())))
        replies: list[object] = []
        stopping.start()
        with pytest.raises(errors.DaemonStopping, match="job 2 stays queued"):
            final(waiting)
        with pytest.raises(errors.DaemonStopping):
            client.call(submit("Echo", text="refused"))
        assert daemon.status().running == [1]
        assert daemon.status().stopping
        daemon.file("gate").touch()
        assert isinstance(final(running), Done)
        stopping.join()
        assert replies == [Stopped(requeued=[2])]
    assert not listens(daemon.paths)
    wait_until(lambda: not alive(pid), "the daemon's end")
    daemon.start()
    with daemon.client() as client:
        assert isinstance(client.call(Watch(job=2)), Done)


def test_stop_now_puts_running_jobs_back(daemon: DaemonProcess) -> None:
    daemon.start(attempts=1)
    with daemon.client() as client:
        running = client.stream(submit("Hang", path=str(daemon.file("gate"))))
        read_to(running, NodeStarted)
        worker = daemon.status().engine.pid
        assert stop_daemon(daemon.config, daemon.paths, now=True) == Stopped(requeued=[1])
        with pytest.raises(errors.DaemonStopping, match="job 1 stays queued"):
            final(running)
        assert not alive(worker)
    daemon.file("gate").touch()
    daemon.start(attempts=1)
    with daemon.client() as client:
        assert isinstance(client.call(Watch(job=1)), Done)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_and_a_second_one_means_now(daemon: DaemonProcess, number: int) -> None:
    daemon.start()
    with daemon.client() as client:
        running = client.stream(submit("WaitFor", path=str(daemon.file("never"))))
        read_to(running, Started)
        pid = daemon.pid
        os.kill(pid, number)
        wait_until(lambda: "stopping after jobs [1]" in daemon.log, "the stop")
        os.kill(pid, number)
        with pytest.raises(errors.DaemonStopping):
            final(running)
    wait_until(lambda: not alive(pid), "the daemon's end")


def test_an_idle_daemon_ends_at_once_and_leaves_nothing(daemon: DaemonProcess) -> None:
    daemon.start()
    pid = daemon.pid
    worker = daemon.ready().engine.pid
    assert stop_daemon(daemon.config, daemon.paths) == Stopped()
    assert not alive(worker)
    wait_until(lambda: not alive(pid), "the daemon's end")
    assert list(daemon.paths.run.iterdir()) == []
    assert stop_daemon(daemon.config, daemon.paths) is None


def test_stop_does_not_wait_for_an_engine_that_starts(daemon: DaemonProcess) -> None:
    daemon.say_at_start(f"wait {daemon.file('never')}")
    daemon.start()
    with daemon.client() as client:
        waiting = client.stream(submit("Echo", text="x"))
        next(waiting)
        assert stop_daemon(daemon.config, daemon.paths) == Stopped()
        with pytest.raises(errors.DaemonStopping):
            final(waiting)


def test_another_daemon_can_start_as_soon_as_stop_has_answered(daemon: DaemonProcess) -> None:
    for _ in range(3):
        daemon.start()
        stop_daemon(daemon.config, daemon.paths)
    assert daemon.start().status().pid == daemon.pid


def test_in_the_foreground_the_log_is_also_shown(daemon: DaemonProcess) -> None:
    command = [sys.executable, "-m", "comfyd.daemon", "--foreground"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: listens(daemon.paths), "the daemon")
        process.send_signal(signal.SIGINT)
        _, shown = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "listens on" in shown
    assert "listens on" in daemon.log


def test_a_removed_runtime_directory_comes_back_and_jobs_go_on(daemon: DaemonProcess) -> None:
    daemon.start()
    pid = daemon.pid
    with daemon.client() as client:
        running = client.stream(submit("WaitFor", path=str(daemon.file("gate"))))
        read_to(running, NodeStarted)
        shutil.rmtree(daemon.paths.run)
        start_or_join(daemon.config, daemon.paths)
        assert (daemon.pid, daemon.status().pid, daemon.status().running) == (pid, pid, [1])
        daemon.file("gate").touch()
        assert isinstance(final(running), Done)
    assert stop_daemon(daemon.config, daemon.paths) == Stopped()
    assert list(daemon.paths.run.iterdir()) == []


LATE = """
import importlib.util, os, time
spec = importlib.util.spec_from_file_location("late_engine", {engine!r})
while not os.path.exists({gate!r}):
    time.sleep(0.002)
engine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(engine)
main = engine.main
"""


def test_a_worker_that_starts_while_the_runtime_directory_is_removed_finds_the_daemon(
    daemon: DaemonProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = daemon.file("gate")
    late = tmp_path / "late.py"
    late.write_text(LATE.format(engine=os.environ["COMFYD_WORKER_MODULE"], gate=str(gate)))
    monkeypatch.setenv("COMFYD_WORKER_MODULE", str(late))
    daemon.start()
    wait_until(lambda: list(daemon.paths.run.glob("worker-*.sock")), "the worker's socket")
    shutil.rmtree(daemon.paths.run)
    wait_until(lambda: "is there again" in daemon.log, "the directory")
    gate.touch()
    with daemon.client() as client:
        assert isinstance(client.call(submit("Echo", text="x"), timeout=LIMIT), Done)
