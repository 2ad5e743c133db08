"""Programs that look at parts of the worker in a process of their own, where ComfyUI is on the path; and how to run one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def told(name: str, comfyui: Path) -> dict[str, Any]:
    """What the program of this name prints at its end."""
    path = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", f"{__name__}.{name}", str(comfyui)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path})
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found
