"""A tenth of the crash campaign (tests/bench/crashes.py), on the real engine: what is acknowledged is done once, and whole."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.crashes import campaign

from .conftest import make_base


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
def test_kills_at_random_moments_lose_nothing_and_double_nothing(what: str, comfyui: Path, home: Path) -> None:
    arguments = ["--cpu", "--base-directory", str(make_base(home / "base")), "--disable-api-nodes", "--disable-all-custom-nodes"]
    counts = campaign(comfyui, home, {what: 10}, seed=7, engine_args=arguments)[what]
    assert counts.kills == 10
    assert counts.run_again
    assert counts.clean, counts.problems
