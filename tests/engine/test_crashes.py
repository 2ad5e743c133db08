"""A tenth of the crash campaign (tests/bench/crashes.py), on the real engine: what is acknowledged is done once, and whole."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd.client import Client
from comfyd.protocol import Done, Graph, WaitReady
from tests.bench.crashes import UNHEARD, campaign
from tests.daemon_process import DaemonProcess, detach, end_of, wait_until

from .conftest import make_base
from .graphs import LATENT, SAMPLER, changed, demo


@pytest.fixture
def home(demo_checkpoint: Path) -> Iterator[Path]:
    """A COMFYD_HOME of a short name, with the demo checkpoint in it."""
    folder = Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp"))
    (folder / "data").mkdir()
    (folder / "data" / "demo").symlink_to(demo_checkpoint.parent)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["worker", "daemon"])
def test_kills_lose_nothing_and_double_nothing(what: str, comfyui: Path, home: Path) -> None:
    arguments = ["--cpu", "--base-directory", str(make_base(home / "base")), "--disable-api-nodes", "--disable-all-custom-nodes"]
    rounds = {what: 9, what + UNHEARD: 2}
    found = campaign(comfyui, home, rounds, seed=7, engine_args=arguments)
    assert {name: counts.kills for name, counts in found.items()} == rounds
    assert found[what].run_again
    assert found[what + UNHEARD].while_running == 2
    for counts in found.values():
        assert counts.clean, counts.problems


@pytest.fixture
def whole(comfyui: Path, demo_checkpoint: Path) -> Iterator[DaemonProcess]:
    """A daemon with the real engine on the CPU and the test pack."""
    process = DaemonProcess(Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp")))
    (process.paths.data / "demo").symlink_to(demo_checkpoint.parent)
    arguments = ["--cpu", "--base-directory", str(make_base(process.home / "base")), "--disable-api-nodes"]
    process.start(comfyui=str(comfyui), engine_args=arguments)
    yield process
    process.end()
    shutil.rmtree(process.home, ignore_errors=True)


def saving(gate: Path) -> Graph:
    """Saves two pictures and a latent, and then waits."""
    return changed(demo(), LATENT, batch_size=2) | {
        "10": {"class_type": "SaveLatent", "inputs": {"samples": [SAMPLER, 0], "filename_prefix": "latents/ComfyUI"}},
        "11": {"class_type": "TestWait", "inputs": {"text": str(gate)}},
        "12": {"class_type": "TestSink", "inputs": {"text": ["11", 0]}},
    }


def kill(whole: DaemonProcess, what: str) -> None:
    if what == "daemon":
        whole.kill()
    else:
        os.kill(whole.status().engine.pid, signal.SIGKILL)
        wait_until(lambda: "was ended by SIGKILL" in whole.log, "its death")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["worker", "daemon"])
def test_what_a_killed_job_had_saved_is_not_beside_its_result(what: str, whole: DaemonProcess) -> None:
    gate, output = whole.file("gate"), whole.home / "base" / "output"

    def saved() -> list[str]:
        return sorted(str(file) for file in output.rglob("*_.*") if file.parent.name != ".comfyd-staging")

    with whole.client() as client:
        client.call(WaitReady())
        job = detach(client, saving(gate))
        before = wait_until(lambda: len(files := saved()) == 3 and files, "its files", limit=120)
        kill(whole, what)
    gate.touch()
    with Client(whole.config, whole.paths).connect() as client:
        end = end_of(client, job)
        assert isinstance(end, Done), end
        assert sorted(end.files) == saved() == before
