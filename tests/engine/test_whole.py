"""Client, daemon, worker and ComfyUI together: what one job's failure leaves untouched, and what a user sees."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import (
    Cancel,
    Graph,
    HistoryRequest,
    JobEnd,
    JobsReply,
    Progress,
    QueueRequest,
    StatusReply,
    Submit,
    WaitReady,
    Watch,
)
from tests.daemon_process import DaemonProcess, detach, end_of, wait_until

from . import models
from .conftest import make_base
from .graphs import DECODE, SAMPLER, SAVE, chain, demo
from .worker import done, failed

COMFYD = str(Path(sys.executable).with_name("comfyd"))


@pytest.fixture(scope="module")
def whole(comfyui: Path, demo_checkpoint: Path) -> Iterator[DaemonProcess]:
    """A daemon with the real engine on the CPU and the test pack."""
    home = Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp"))
    process = DaemonProcess(home)
    (process.paths.data / "demo").symlink_to(demo_checkpoint.parent)
    make_base(home / "base")
    start(process, comfyui)
    with process.client() as client:
        client.call(WaitReady())
    yield process
    process.end()
    shutil.rmtree(home, ignore_errors=True)


def start(process: DaemonProcess, comfyui: Path) -> None:
    arguments = ["--cpu", "--base-directory", str(process.home / "base"), "--disable-api-nodes"]
    process.start(comfyui=str(comfyui), engine_args=arguments, cancel_grace=0.5)


@pytest.fixture
def client(whole: DaemonProcess) -> Iterator[Client]:
    with whole.client() as connected:
        yield connected


def run(client: Client, graph: Graph) -> JobEnd:
    return end_of(client, detach(client, graph))


def wait_for_step(client: Client, job: int) -> None:
    """Until the job samples."""
    for message in client.stream(Watch(job=job)):
        if isinstance(message, Progress):
            return


def final_states(client: Client, jobs: list[int]) -> list[str]:
    reply = client.call(HistoryRequest(limit=1000))
    assert isinstance(reply, JobsReply)
    states = {record.id: record.state for record in reply.jobs}
    return [states[job] for job in jobs]


def worker_pid(client: Client) -> int:
    status = client.call(WaitReady())
    assert isinstance(status, StatusReply)
    return status.engine.pid


def test_segfault_fails_its_own_job_and_the_others_are_run_again(client: Client) -> None:
    other = detach(client, demo("untouched", steps=150, seed=1))
    wait_for_step(client, other)
    bad = detach(client, chain("TestEcho", "TestSegfault", text="x"))
    error = failed(end_of(client, bad)).error
    assert error.code == "worker-crashed"
    assert "TestSegfault" in error.message
    assert Path(done(end_of(client, other)).files[0]).exists()
    assert final_states(client, [bad, other]) == ["failed", "done"]


def test_hanging_node_is_cancelled_by_replacing_the_worker(client: Client, tmp_path: Path) -> None:
    before = worker_pid(client)
    other = detach(client, demo("goes on", steps=150, seed=2))
    wait_for_step(client, other)
    hanging = detach(client, chain("TestHang", text=str(tmp_path / "begun")))
    wait_until(lambda: (tmp_path / "begun").exists(), "the hanging node")
    client.call(Cancel(job=hanging))
    assert Path(done(end_of(client, other)).files[0]).exists()
    assert final_states(client, [hanging, other]) == ["cancelled", "done"]
    assert worker_pid(client) != before


def test_killed_worker_is_replaced_and_its_job_run_again(client: Client) -> None:
    job = detach(client, demo("killed once", steps=60, seed=3))
    wait_for_step(client, job)
    os.kill(worker_pid(client), signal.SIGKILL)
    assert Path(done(end_of(client, job)).files[0]).exists()
    assert final_states(client, [job]) == ["done"]


def test_killed_daemon_finds_its_jobs_again(whole: DaemonProcess, comfyui: Path) -> None:
    with whole.client() as client:
        running = detach(client, demo("daemon killed", steps=60, seed=4))
        wait_for_step(client, running)
        queued = [detach(client, demo("daemon killed", steps=2, seed=5 + n)) for n in range(6)]
    whole.kill()
    start(whole, comfyui)
    with whole.client() as client:
        ends = [done(end_of(client, job)) for job in [running, *queued]]
        assert len({end.files[0] for end in ends}) == 7
        for end in ends:
            assert Path(end.files[0]).read_bytes().endswith(b"IEND\xaeB`\x82")
        reply = client.call(QueueRequest())
        assert isinstance(reply, JobsReply)
        assert reply.jobs == []


def test_model_that_comes_while_the_daemon_runs_is_found(client: Client, whole: DaemonProcess, demo_checkpoint: Path) -> None:
    with pytest.raises(errors.MissingModel, match=r"late\.safetensors"):
        client.call(Submit(api=demo(checkpoint="late.safetensors")))
    models.copy(demo_checkpoint, whole.home / "base", "late.safetensors")
    assert done(run(client, demo(checkpoint="late.safetensors")))


def test_model_that_goes_while_the_daemon_runs_is_missed_and_then_refused(
    client: Client, whole: DaemonProcess, demo_checkpoint: Path
) -> None:
    models.copy(demo_checkpoint, whole.home / "base", "leaving.safetensors")
    done(run(client, demo(checkpoint="leaving.safetensors")))
    (whole.home / "base" / "models" / "checkpoints" / "leaving.safetensors").unlink()
    assert failed(run(client, demo(checkpoint="leaving.safetensors"))).error.code == "missing-model"
    with pytest.raises(errors.MissingModel, match=r"leaving\.safetensors"):
        client.call(Submit(api=demo(checkpoint="leaving.safetensors")))


def test_a_picture_of_the_users_own_reaches_the_engine_at_once(whole: DaemonProcess, client: Client) -> None:
    client.call(WaitReady())
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "none.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "own"}},
    }
    (whole.home / "own.json").write_text(json.dumps(graph))
    Image.new("RGB", (32, 16), "red").save(whole.home / "mine.png")
    first = comfyd_in(whole, "run", "own.json", "image", "./mine.png")
    assert first.returncode == 0, first.stderr
    assert re.search(rb"'mine.png' was copied to the engine's input folder as mine-[0-9a-f]{12}\.png", first.stderr)
    with Image.open(first.stdout.decode().strip()) as saved:
        assert (saved.size, saved.getpixel((0, 0))) == ((32, 16), (255, 0, 0))
    assert b"0 of 2 nodes" in comfyd_in(whole, "run", "own.json", "image", "mine.png").stderr


def comfyd_in(whole: DaemonProcess, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"COMFYD_HOME": str(whole.home)}
    return subprocess.run([COMFYD, *words], env=environment, capture_output=True, check=False, cwd=whole.home)


def test_command_line_from_prompt_to_png(whole: DaemonProcess, client: Client) -> None:
    client.call(WaitReady())

    def comfyd(*words: str) -> subprocess.CompletedProcess[bytes]:
        return comfyd_in(whole, *words)

    first = comfyd("run", "demo", "prompt", "red apple", "seed", "5", "steps", "3", "--quiet")
    assert first.returncode == 0, first.stderr
    assert Path(first.stdout.decode().strip()).read_bytes().startswith(b"\x89PNG")
    again = comfyd("run", "demo", "prompt", "red apple", "seed", "6", "steps", "3", "-o", "-")
    assert again.stdout.startswith(b"\x89PNG")
    assert b"3 of 7 nodes" in again.stderr
    assert b"comfyd-demo.safetensors" in comfyd("ps").stdout
    bad = comfyd("run", "demo", "seed", "x")
    assert bad.returncode == 2
    assert bad.stderr.count(b"\n") == 1


def test_executed_nodes_of_a_warm_run(client: Client) -> None:
    done(run(client, demo("warm", seed=100)))
    assert done(run(client, demo("warm", seed=101))).executed == [SAMPLER, DECODE, SAVE]
    assert done(run(client, demo("warm", seed=100))).executed == []
