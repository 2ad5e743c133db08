"""Fixtures for all tests: no variables of whoever runs them, a home of the test's own, real daemons with the fake engine."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd.client import Client
from tests.daemon_process import DaemonProcess


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests reaches comfyd, and nothing of theirs is found or changed."""
    for name in list(os.environ):
        if name.startswith("COMFYD_") and not name.startswith("COMFYD_GPU_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COMFYD_HOME", "/dev/null/nowhere")  # where nobody, not even root, can create anything


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A COMFYD_HOME with a path short enough for sockets."""
    path = Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp"))
    monkeypatch.setenv("COMFYD_HOME", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def daemon(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaemonProcess]:
    """A daemon with the fake engine, to be started by the test; ended after it."""
    monkeypatch.setenv("COMFYD_WORKER_MODULE", str(Path(__file__).parent / "fake_engine.py"))
    process = DaemonProcess(home)
    yield process
    process.end()


@pytest.fixture
def client(daemon: DaemonProcess) -> Iterator[Client]:
    """A client of the running daemon."""
    with daemon.start().client() as connected:
        yield connected
