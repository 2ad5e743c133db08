"""A sweep on the real engine: its pictures and contact sheet, and how seldom what is upstream runs."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfyd.protocol import Submit, WaitReady
from tests.daemon_process import DaemonProcess

from . import models
from .conftest import make_base
from .graphs import DECODE, LOADER, PROMPT, SAMPLER, demo
from .worker import done

COMFYD = str(Path(sys.executable).with_name("comfyd"))


@pytest.fixture(scope="module")
def small(comfyui: Path, demo_checkpoint: Path) -> Iterator[DaemonProcess]:
    """A daemon with two checkpoints, one of which fits into its memory, and one job at a time."""
    home = Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp"))
    process = DaemonProcess(home)
    (process.paths.data / "demo").symlink_to(demo_checkpoint.parent)
    make_base(home / "base")
    models.copy(demo_checkpoint, home / "base", "second.safetensors")
    arguments = ["--cpu", "--base-directory", str(home / "base"), "--disable-api-nodes"]
    process.start(comfyui=str(comfyui), engine_args=arguments, max_running=1, models_ram=0.45)
    with process.client() as client:
        client.call(WaitReady())
    yield process
    process.end()
    shutil.rmtree(home, ignore_errors=True)


def swept(process: DaemonProcess, *words: str) -> list[dict[str, Any]]:
    environment = os.environ | {"COMFYD_HOME": str(process.home)}
    command = [COMFYD, "sweep", *words, "--json"]
    result = subprocess.run(command, env=environment, capture_output=True, cwd=process.home, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_loaders_and_encoders_run_as_seldom_as_can_be(small: DaemonProcess) -> None:
    models_, prompts, seeds = ["comfyd-demo", "second"], ["red apple", "blue cube"], [1, 2]
    typed = ["seed", "1,2", "prompt", json.dumps(prompts), "model", ",".join(models_), "steps", "1"]
    *each, whole = swept(small, "demo", *typed, "-o", "least")
    assert whole["done"] == 8
    ran = Counter(node for job in each for node in job["executed"])
    assert (ran[LOADER], ran[PROMPT], ran[SAMPLER], ran[DECODE]) == (2, 4, 8, 8)

    naive: Counter[str] = Counter()
    with small.client() as client:
        for seed, prompt, model in itertools.product(seeds, prompts, models_):
            graph = demo("naive", checkpoint=f"{model}.safetensors", seed=seed + 10, steps=1)
            graph[PROMPT]["inputs"]["text"] = f"{prompt} again"
            naive.update(done(client.call(Submit(api=graph))).executed)
    assert (naive[PROMPT], naive[SAMPLER]) == (4, 8)
    assert naive[LOADER] >= 4  # there is room for one checkpoint: whichever stays, the other is loaded again each time


def test_the_pictures_their_sheet_and_their_page(small: DaemonProcess) -> None:
    words = ["demo", "seed", "1..3", "cfg", "2,6", "steps", "8", "-o", "pictures", "--html"]
    *each, whole = swept(small, *words)
    directory = small.home / "pictures"
    assert len(each) == 6
    for job in each:
        name = f"seed={job['values']['seed']},cfg={job['values']['cfg']:g}.png"
        with Image.open(directory / name) as picture:
            graph = json.loads(picture.info["prompt"])
        assert graph[SAMPLER]["inputs"]["seed"] == job["values"]["seed"]
        assert graph[SAMPLER]["inputs"]["cfg"] == job["values"]["cfg"]
    with Image.open(directory / "sheet.png") as sheet:
        sheet.load()
        assert sheet.width > 3 * 128
        assert sheet.height > 2 * 128
    assert (directory / "index.html").read_text().count("<img ") == 6
    again = swept(small, *words)
    assert again[-1]["resumed"] == 6
    assert whole["resumed"] == 0
