"""The Python client against a real daemon with the fake engine: results, events, errors, threads, forks."""

import base64
import gc
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import comfyd
from comfyd.errors import DaemonUnavailable, FileNotUsable, JobCancelled, JobFailed, Refused, UnknownParameter
from comfyd.protocol import Done, EngineState, NodeStarted, Progress, Started
from tests.daemon_process import DaemonProcess, graph, submit, wait_until


@pytest.fixture
def comfy(daemon: DaemonProcess) -> Iterator[comfyd.Connection]:
    """Connected to a daemon that runs."""
    daemon.start()
    with comfyd.connect(home=daemon.paths.data.parent, start=False) as connection:
        yield connection


def test_run_gives_the_files_and_what_was_set(comfy: comfyd.Connection) -> None:
    result = comfy.run(graph("Save", text="x"), **{"1.text": "a red fox"})
    assert [file.read_text() for file in result.files] == ["a red fox"]
    assert result.overrides == {"1.text": "a red fox"}
    assert (result.executed, result.images) == (["1"], [])


def test_names_that_are_no_python_names_come_in_a_mapping(comfy: comfyd.Connection) -> None:
    result = comfy.run(graph("Save", text="x"), {"1.text": "by address"})
    assert result.files[0].read_text() == "by address"


def test_a_workflow_may_be_a_file_or_text(comfy: comfyd.Connection, tmp_path: Path) -> None:
    text = '{"1": {"class_type": "Echo", "inputs": {"text": "y"}}}'
    (tmp_path / "my flow.json").write_text(text)
    assert comfy.run(tmp_path / "my flow.json").outputs == {"1": {"text": ["y"]}}
    assert comfy.run(text).outputs == {"1": {"text": ["y"]}}
    assert {job.workflow for job in comfy.history()} == {"my flow", "literal"}


def test_events_come_while_it_runs(comfy: comfyd.Connection) -> None:
    events: list[Any] = []
    comfy.run(graph("Steps", steps=3), on_event=events.append)
    kinds = [type(event) for event in events]
    assert kinds[-1] is Done
    assert {Started, NodeStarted} <= set(kinds)
    assert [event.value for event in events if isinstance(event, Progress)][-1] == 3


def test_a_job_is_watched_and_cancelled_from_anywhere(comfy: comfyd.Connection, tmp_path: Path) -> None:
    job = comfy.submit(graph("WaitFor", path=str(tmp_path / "never")))
    wait_until(lambda: any(record.state == "running" for record in comfy.queue()), "the job's start")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(comfy.job(job.id).result)
        assert job.cancel() == "cancelled"
        with pytest.raises(JobCancelled):
            waiting.result()
    with pytest.raises(JobCancelled) as raised:
        job.result()
    assert raised.value.code == "cancelled"


@pytest.mark.parametrize(
    ("nodes", "parameters", "kind", "code"),
    [
        (("Raise",), {}, JobFailed, "node-failed"),
        (("Echo",), {"txt": "x"}, UnknownParameter, "unknown-parameter"),
    ],
)
def test_errors_are_exceptions_with_codes(
    comfy: comfyd.Connection, nodes: tuple[str, ...], parameters: dict[str, Any], kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as raised:
        comfy.run(graph(*nodes, **({"message": "x"} if nodes == ("Raise",) else {"text": "x"})), **parameters)
    assert getattr(raised.value, "code", "") == code


def test_an_interrupt_cancels_the_job(comfy: comfyd.Connection, tmp_path: Path) -> None:
    def interrupt(event: object) -> None:
        if isinstance(event, NodeStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        comfy.run(graph("WaitFor", path=str(tmp_path / "never")), on_event=interrupt)
    assert comfy.history()[0].state == "cancelled"
    assert comfy.run(graph("Echo", text="still usable")).outputs


def interrupted(comfy: comfyd.Connection) -> None:
    with comfy._pool.lent() as client:
        assert isinstance(next(client.stream(submit("Echo", text="x"))), EngineState)
        raise KeyboardInterrupt


def test_an_interrupt_before_there_is_a_job_leaves_none(daemon: DaemonProcess) -> None:
    gate = daemon.file("gate")
    daemon.say_at_start(f"wait {gate}")
    daemon.start()
    with comfyd.connect(home=daemon.paths.data.parent, start=False) as comfy:
        with pytest.raises(KeyboardInterrupt):
            interrupted(comfy)
        gate.touch()
        assert comfy.run(graph("Echo", text="y")).job == 1


def test_history_is_searched(comfy: comfyd.Connection) -> None:
    comfy.run(graph("Echo", text="x"))
    with pytest.raises(JobFailed):
        comfy.run(graph("Raise", message="x"))
    assert [job.id for job in comfy.history(states=["failed"])] == [2]
    assert comfy.history(workflow="demo") == []
    assert [job.id for job in comfy.history(1, since=1.0)] == [2]
    assert comfy.history(since=1e10) == []


def test_a_connection_that_nobody_has_is_forgotten(comfy: comfyd.Connection) -> None:
    pool = weakref.ref(comfyd.connect(start=False)._pool)
    gc.collect()
    assert pool() is None


def test_the_names_are_there_before_they_are_used() -> None:
    script = "import comfyd; print({'connect', 'errors'} <= set(dir(comfyd)), comfyd.errors.JobFailed.__name__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True JobFailed\n"


def test_threads_do_not_mix_their_jobs(comfy: comfyd.Connection) -> None:
    def one(number: int) -> str:
        return comfy.run(graph("Save", text="x"), {"1.text": number}).files[0].read_text()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(80))) == [str(number) for number in range(80)]


FORKING = """
import os, sys, threading, comfyd
from tests.daemon_process import graph
comfy = comfyd.connect(start=False)
def run(text): return comfy.run(graph("Save", text=text)).files[0].read_text()
assert run("before") == "before"
child = os.fork()
if not child:
    comfy_child = [run(f"child {n}") for n in range(3)]
    comfy.close()
    os._exit(0 if comfy_child == ["child 0", "child 1", "child 2"] else 1)
assert [run(f"parent {n}") for n in range(3)] == ["parent 0", "parent 1", "parent 2"]
assert os.waitpid(child, 0)[1] == 0
comfy.close()
"""


def test_a_fork_gets_a_socket_of_its_own(daemon: DaemonProcess) -> None:
    daemon.start()
    environment = os.environ | {"COMFYD_HOME": str(daemon.paths.data.parent)}
    subprocess.run([sys.executable, "-W", "error", "-c", FORKING], env=environment, check=True, timeout=60)


def test_a_daemon_that_died_is_found_again(daemon: DaemonProcess) -> None:
    daemon.start()
    with comfyd.connect(home=daemon.paths.data.parent, start=False) as comfy:
        comfy.run(graph("Echo", text="x"))
        daemon.kill()
        with pytest.raises(DaemonUnavailable):
            comfy.status()
        daemon.start()
        assert comfy.run(graph("Echo", text="x")).outputs


def test_a_job_runs_again_with_some_values_changed(comfy: comfyd.Connection) -> None:
    first = comfy.run(graph("Save", text="x"), {"1.text": "one"})
    same, other = comfy.again(first.job).result(), comfy.again(first.job, {"1.text": "two"})
    assert same.files[0].read_text() == "one"
    assert other.result().files[0].read_text() == "two"
    assert other.result().overrides == {"1.text": "two"}


def test_a_path_is_copied_into_the_engines_input_folder(comfy: comfyd.Connection, daemon: DaemonProcess, tmp_path: Path) -> None:
    (tmp_path / "my cat.png").write_bytes(b"a picture")
    text = comfy.run(graph("Save", text="x"), {"1.text": tmp_path / "my cat.png"}).files[0].read_text()
    assert re.fullmatch(r"my cat-[0-9a-f]{12}\.png", text)
    folder = Path(comfy.status().engine.input_dir)
    assert (folder / text).read_bytes() == b"a picture"
    with pytest.raises(FileNotUsable):
        comfy.run(graph("Save", text="x"), {"1.text": tmp_path / "no such.png"})


def test_a_closed_connection_says_so(comfy: comfyd.Connection) -> None:
    comfy.close()
    with pytest.raises(Refused, match=r"comfyd\.connect\(\) gives a new one"):
        comfy.status()


def test_a_notebook_shows_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(
        base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
    )
    image = comfyd.Image(picture)
    assert image._repr_mimebundle_()["image/png"] == picture.read_bytes()
    assert image.pil().size == (1, 1)


def test_importing_it_imports_no_torch_and_no_asyncio() -> None:
    script = (
        "import sys, comfyd; comfyd.connect; print(*sorted({'torch', 'asyncio', 'typer', 'rich', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"
