"""The real ComfyUI for tests: installed once for all test processes, with a base directory of its own for each of them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd import config
from comfyd.demo import checkpoint
from comfyd.engine import install

from .worker import WorkerProcess

# Several torch processes share the test machine's few cores: teams of threads that spin for each other cost minutes.
os.environ["OMP_NUM_THREADS"] = "1"

PACK = Path(__file__).parent / "pack"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def engine_home(pytestconfig: pytest.Config) -> config.Paths:
    """A COMFYD_HOME with the managed ComfyUI in it, kept between test runs."""
    home = pytestconfig.cache.mkdir("comfyd-home")
    paths = config.paths({"COMFYD_HOME": str(home)})
    install(paths)
    return paths


@pytest.fixture(scope="session")
def comfyui(engine_home: config.Paths) -> Path:
    return install(engine_home).comfyui


@pytest.fixture(scope="session")
def demo_checkpoint(engine_home: config.Paths) -> Path:
    """The demo checkpoint, written once."""
    path = engine_home.data / "demo" / checkpoint.NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    if not checkpoint.is_current(path):
        checkpoint.write(path)
    return path


def make_base(base: Path) -> Path:
    """A base directory for ComfyUI with the test pack in it."""
    for folder in ("models/checkpoints", "models/loras", "input", "output", "temp", "user", "custom_nodes"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(PACK, base / "custom_nodes" / "comfyd_test_pack", ignore=shutil.ignore_patterns("__pycache__"))
    return base


@pytest.fixture(scope="session")
def worker(comfyui: Path, demo_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A worker shared by the tests that leave it alive; its results are those of one test process."""
    base = make_base(tmp_path_factory.mktemp("base"))
    process = WorkerProcess(comfyui, base, demo_checkpoint.parent.parent)
    process.ready()
    yield process
    process.close()


@pytest.fixture
def own_worker(comfyui: Path, demo_checkpoint: Path, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker of the test's own, which it may kill."""
    process = WorkerProcess(comfyui, make_base(tmp_path / "base"), demo_checkpoint.parent.parent)
    process.ready()
    yield process
    process.close()
