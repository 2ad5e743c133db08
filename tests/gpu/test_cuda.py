"""On a CUDA machine: the live display, several jobs at once with the bits of their solo runs, and a real lack of memory.

``GPU_COMFYUI`` names the ComfyUI tree, ``GPU_CHECKPOINT`` a checkpoint of SD1.5's layout in its models/checkpoints.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfyd.protocol import Cancel, Cancelled, Done, Failed, Graph, JobEnd, Progress, Unload, WaitReady, Watch
from tests.bench.sides import Work
from tests.daemon_process import DaemonProcess, detach, end_of

from .frames import frames

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(600)]
COMFYD = str(Path(sys.executable).with_name("comfyd"))


@pytest.fixture(scope="module")
def cuda() -> Iterator[DaemonProcess]:
    process = DaemonProcess(Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp")))
    process.start(comfyui=os.environ["GPU_COMFYUI"], engine_args=["--disable-api-nodes"])
    with process.client() as client:
        client.call(WaitReady())
    yield process
    process.end()


def graph(size: tuple[int, int] = (512, 512), batch: int = 1, seed: int = 1, **sampler: Any) -> Graph:
    made = Work.checkpoint(os.environ["GPU_CHECKPOINT"], 512, 20).seeded(seed, **sampler)
    made["4"]["inputs"].update(width=size[0], height=size[1], batch_size=batch)
    return made


def pixels(end: JobEnd) -> bytes:
    assert isinstance(end, Done), end
    return Image.open(end.files[0]).tobytes()


def test_live_display_moves(cuda: DaemonProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYD_HOME", str(cuda.home))
    workflow = cuda.home / "workflow.json"
    workflow.write_text(json.dumps(graph()))
    seen = frames([COMFYD, "run", str(workflow), "seed", "7"]) + frames([COMFYD, "run", str(workflow), "seed", "8"])
    text = "\n".join(seen)
    print(*(f"--- screen {number}\n{frame}" for number, frame in enumerate(seen, 1)), sep="\n")
    assert len({int(n) for n in re.findall(r"(\d+)/20", text)}) > 3
    assert len(set(re.findall(r"VRAM ([\d.]+ .B) of", text))) > 1
    assert "it/s" in text


def test_jobs_at_once_equal_their_solo_runs(cuda: DaemonProcess) -> None:
    graphs = [
        graph(seed=11),
        graph((384, 640), sampler_name="dpmpp_2m", scheduler="karras", steps=14, seed=12),
        graph((512, 256), sampler_name="euler_ancestral", steps=17, seed=13),
    ]
    with cuda.client() as client:
        solo = [pixels(end_of(client, detach(client, wanted))) for wanted in graphs]
        client.call(Unload(names=["results"]))
        jobs = [detach(client, wanted) for wanted in graphs]
        long = detach(client, graph(steps=400, seed=14))
        for message in client.stream(Watch(job=long)):
            if isinstance(message, Progress) and message.value >= 3:
                break
        client.call(Cancel(job=long))
        assert isinstance(end_of(client, long), Cancelled)
        assert [pixels(end_of(client, job)) for job in jobs] == solo


def test_lack_of_memory_fails_its_job_only(cuda: DaemonProcess) -> None:
    with cuda.client() as client:
        end = end_of(client, detach(client, graph((1024, 1024), batch=512, steps=1)))
        assert isinstance(end, Failed)
        assert end.error.code == "out-of-memory"
        print(end.error.message)
        assert isinstance(end_of(client, detach(client, graph(seed=21))), Done)
