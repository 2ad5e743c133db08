"""The choice that `comfyd engine use` and `comfyd engine install` made, in engine.json under the data directory.

The path is written relative to the data directory where it lies inside, so that a data directory that moved still works.
"""

import json
from pathlib import Path

from comfyd.config import Paths
from comfyd.whole import put


def _file(paths: Paths) -> Path:
    return paths.data / "engine.json"


def read(paths: Paths) -> Path | None:
    """The ComfyUI chosen last, which may have gone since; None where none was chosen or the file is not ours."""
    try:
        chosen: str = json.loads(_file(paths).read_text(encoding="utf-8"))["comfyui"]
        return paths.data / chosen
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write(paths: Paths, comfyui: Path) -> None:
    """Replace the choice in one step."""
    chosen = comfyui.relative_to(paths.data) if comfyui.is_relative_to(paths.data) else comfyui
    put(_file(paths), f"{json.dumps({'comfyui': str(chosen)})}\n".encode())


def forget(paths: Paths) -> None:
    """Back to discovery."""
    _file(paths).unlink(missing_ok=True)
