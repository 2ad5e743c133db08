"""Fast mode on a CUDA machine: close enough to exact on real layouts, compiled once for all workers, told by the job."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd.client import Client
from comfyd.protocol import Done, Progress, Submit, Unload, WaitReady
from tests.bench.work import Work
from tests.daemon_process import DaemonProcess

from .told import replays, wait_for_idle_captures

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]
LAYOUTS = [(name, size) for name, size in (("GPU_CHECKPOINT", 512), ("GPU_CHECKPOINT_XL", 1024)) if os.environ.get(name)]


@pytest.fixture(scope="module")
def cuda() -> Iterator[DaemonProcess]:
    process = DaemonProcess(Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp")))
    process.start(comfyui=os.environ["GPU_COMFYUI"], engine_args=["--disable-api-nodes"])
    with process.client() as client:
        client.call(WaitReady())
    yield process
    process.end()


def made(client: Client, work: Work, seed: int, mode: str) -> tuple[Done, list[str]]:
    """The job's end, and what it said it was doing."""
    *events, end = client.stream(Submit(api=work.seeded(seed), mode=mode))
    assert isinstance(end, Done), end
    return end, [event.doing for event in events if isinstance(event, Progress) and event.doing]


@pytest.mark.parametrize(("name", "size"), LAYOUTS)
def test_every_call_is_within_the_gate(cuda: DaemonProcess, name: str, size: int) -> None:
    work = Work.checkpoint(os.environ[name], size, 4)
    with cuda.client() as client:
        first, doing = made(client, work, 1, "fast")
        again, nothing = made(client, work, 2, "fast")
        exact, _ = made(client, work, 2, "exact")
    lines = [line for line in cuda.log.splitlines() if "fast mode" in line or "is compiled" in line]
    print(*lines, sep="\n")
    # A model whose call differs by more than 5e-3 from exact is refused, and its jobs are exact.
    assert (first.mode, again.mode, exact.mode) == ("fast", "fast", "exact")
    assert "compiling" in doing
    assert nothing == []
    assert not any("not run in fast mode" in line for line in lines)


def test_idle_time_captures_the_compiled_model(cuda: DaemonProcess) -> None:
    work = Work.checkpoint(os.environ["GPU_CHECKPOINT"], 384, 4)
    with cuda.client() as client:
        client.call(Unload(everything=True))
        first, _ = made(client, work, 5, "fast")
        wait_for_idle_captures(cuda, "UNetModel")
        second, doing = made(client, work, 6, "fast")
    assert (first.mode, second.mode, doing) == ("fast", "fast", [])
    assert replays(cuda, "UNetModel") == work.steps


def test_another_worker_compiles_nothing(cuda: DaemonProcess) -> None:
    work = Work.checkpoint(os.environ["GPU_CHECKPOINT"], 512, 4)
    with cuda.client() as client:
        made(client, work, 3, "fast")
    before = cuda.log.count(" anew")
    os.kill(cuda.status().engine.pid, 9)
    with cuda.client() as client:
        made(client, work, 4, "fast")
    lines = [line for line in cuda.log.splitlines() if " anew" in line][before:]
    print(*lines, sep="\n")
    assert lines
    assert all(", 0 anew" in line for line in lines)
