"""Small models of every kind whose calls become graphs do nothing that a graph would freeze; a GPU is only made believe in."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def told(comfyui: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.engine.capture_rules", str(comfyui)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr[-3000:]
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result


def test_nothing_would_be_frozen(told: dict[str, Any]) -> None:
    assert {name: why for name, why in told["found"].items() if why} == {}
    assert "reads a value back" in told["control"]


def test_every_method_was_looked_at(told: dict[str, Any]) -> None:
    parent = "comfy.ldm.models.autoencoder.AutoencodingEngine."  # whose methods the legacy engine's replace
    assert {name for name in set(told["methods"]) - set(told["reached"]) if not name.startswith(parent)} == set()
