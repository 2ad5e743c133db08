"""The log of a real daemon: its size is bounded, and as JSON every line says which job it is about."""

import json
import subprocess
import sys
from pathlib import Path

from comfyd.protocol import Done
from tests.daemon_process import DaemonProcess, detach, end_of, final, graph, submit, wait_until


def test_json_lines_name_the_job_they_are_about(daemon: DaemonProcess) -> None:
    with daemon.start(log_json=True).client() as client:
        done = final(client.stream(submit("Echo", text="x")))
    assert isinstance(done, Done)
    lines = [json.loads(line) for line in daemon.log.splitlines()]
    assert {line["level"] for line in lines} <= {"INFO", "WARNING"}
    assert [line["message"].split()[2] for line in lines if line.get("job") == done.job and line["logger"] == "comfyd.jobs"] == [
        "queued",
        "started",
        "done",
    ]


def test_what_the_engine_prints_is_the_executing_jobs(daemon: DaemonProcess) -> None:
    go = daemon.file("go")

    def found() -> list[dict[str, object]]:
        lines = [json.loads(line) for line in daemon.log.splitlines()]
        return [line for line in lines if line["message"] == "said by a node"]

    with daemon.start(log_json=True).client() as client:
        job = detach(client, graph("Print", text="said by a node", until=str(go)))
        assert [line["job"] for line in wait_until(found, "the node's line")] == [job]
        go.touch()
        assert isinstance(end_of(client, job), Done)


def test_a_long_log_is_put_aside_while_the_daemon_runs(daemon: DaemonProcess) -> None:
    old = [daemon.paths.log.with_name(f"comfyd.log.{number}") for number in (1, 2, 3)]
    with daemon.start(log_size=0.01, log_files=2).client() as client:
        while not old[1].exists():
            final(client.stream(submit("Print", text="x" * 2000, until="")))
        for _ in range(20):
            final(client.stream(submit("Print", text="y" * 2000, until="")))
    assert daemon.paths.log.stat().st_size < 15_000
    assert not old[2].exists()


def test_what_python_itself_says_follows_the_log(tmp_path: Path) -> None:
    script = (
        "import sys, logging; from comfyd import config; from comfyd.daemon.logs import open_log\n"
        "where = config.paths(); where.state.mkdir(); open_log(where, config.load(), foreground=False)\n"
        "logging.info('x' * 900); logging.info('y' * 900); print('last words', file=sys.stderr)"
    )
    environment = {"COMFYD_HOME": str(tmp_path), "COMFYD_LOG_SIZE": "0.001"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert "last words" in (tmp_path / "state" / "comfyd.log").read_text()
    assert "xxx" in (tmp_path / "state" / "comfyd.log.1").read_text()
