"""On a CUDA machine, the live display shows steps, speed and the GPU's memory moving.

``COMFYD_GPU_WORKFLOW`` names a workflow in API format of 20 steps whose checkpoint the engine has.
"""

import os
import re
import sys
from pathlib import Path

import pytest

from .frames import frames

pytestmark = pytest.mark.gpu
COMFYD = str(Path(sys.executable).with_name("comfyd"))


@pytest.mark.timeout(600)
def test_live_display_moves() -> None:
    workflow = os.environ["COMFYD_GPU_WORKFLOW"]
    text = "\n".join(frames([COMFYD, "run", workflow, "seed", "7"]))
    steps = {int(n) for n in re.findall(r"(\d+)/20", text)}
    memory = set(re.findall(r"([\d.]+ GB) of", text))
    assert len(steps) > 3
    assert len(memory) > 1
    assert "it/s" in text
