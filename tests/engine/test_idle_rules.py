"""The rest of a start is done while nobody works, not in the pauses between jobs."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_a_job_that_follows_another_finds_no_piece_before_it(comfyui: Path) -> None:
    command = [sys.executable, "-m", "tests.engine.idle_rules", str(comfyui)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))}
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert told.returncode == 0, told.stderr[-3000:]
    before, after_a_job, later = json.loads(told.stdout.splitlines()[-1])["pieces"]
    assert (before, after_a_job, later) == (1, 1, 2)
