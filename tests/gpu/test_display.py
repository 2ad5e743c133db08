"""On a CUDA machine, the live display shows steps, speed and the GPU's memory moving.

``GPU_COMFYUI`` names the ComfyUI tree, ``GPU_CHECKPOINT`` a checkpoint of SD1.5's layout in it.
"""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.bench.sides import Work

from .frames import frames

pytestmark = pytest.mark.gpu
COMFYD = str(Path(sys.executable).with_name("comfyd"))


@pytest.mark.timeout(600)
def test_live_display_moves(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYD_COMFYUI", os.environ["GPU_COMFYUI"])
    workflow = home / "workflow.json"
    workflow.write_text(json.dumps(Work.checkpoint(os.environ["GPU_CHECKPOINT"], 512, 20).seeded(7)))
    text = "\n".join(frames([COMFYD, "run", str(workflow)]))
    frames([COMFYD, "stop", "--now"])
    steps = {int(n) for n in re.findall(r"(\d+)/20", text)}
    memory = set(re.findall(r"VRAM ([\d.]+ .B) of", text))
    assert len(steps) > 3
    assert len(memory) > 1
    assert "it/s" in text
