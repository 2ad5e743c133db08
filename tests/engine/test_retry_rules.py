"""A model call that runs out of memory in its middle is made again with all that it was given."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_residuals_of_controlnets_are_there_the_second_time(comfyui: Path) -> None:
    command = [sys.executable, "-m", "tests.engine.retry_rules", str(comfyui)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr[-3000:]
    told = json.loads(ended.stdout.splitlines()[-1])
    assert (told["plain"], told["captured"]) == ([[11.0]] * 4, 1)
    assert (told["again"], told["left"]) == ([11.0, 11.0], 0)
