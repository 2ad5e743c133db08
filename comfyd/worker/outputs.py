"""Files of output nodes: written aside and put in place by rename, so that no half-written file ever bears its name.

ComfyUI's own save nodes ask ``folder_paths.get_save_image_path`` where to write. That function is wrapped: it answers with a
staging folder on the same file system, and what was written there is moved once the node has returned. Custom nodes, which may
look into the folder for their next number, are given the real one.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import folder_paths

_STAGING = ".comfyd-staging"


class Staging:
    """The one staging area of this worker; used by the node that holds the baton."""

    def __init__(self) -> None:
        self._pending: list[tuple[Path, Path]] = []
        self._active = False

    def install(self) -> None:
        """Wraps ``folder_paths.get_save_image_path`` and clears what a killed worker left."""
        original = folder_paths.get_save_image_path
        folder_paths.get_save_image_path = self._wrap(original)
        for folder in (folder_paths.get_output_directory(), folder_paths.get_temp_directory()):
            shutil.rmtree(Path(folder) / _STAGING, ignore_errors=True)

    def open(self, python_module: str) -> None:
        """A node begins; stages what it saves when it is one of ComfyUI's own."""
        self.discard()
        self._active = not python_module.startswith("custom_nodes")

    def publish(self) -> None:
        """Moves everything staged to its real place."""
        while self._pending:
            staged, real = self._pending[-1]
            for file in staged.iterdir():
                file.replace(real / file.name)
            self._pending.pop()
            staged.rmdir()

    def discard(self) -> None:
        """Deletes what a failed node has staged."""
        for staged, _ in self._pending:
            shutil.rmtree(staged, ignore_errors=True)
        self._pending.clear()
        self._active = False

    def _wrap(self, original: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
        def get_save_image_path(filename_prefix: str, output_dir: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
            if not self._active:
                return original(filename_prefix, output_dir, *args, **kwargs)
            self.publish()  # an earlier call's files must count for this one's number
            folder, *rest = original(filename_prefix, output_dir, *args, **kwargs)
            return str(self._stage(Path(output_dir), Path(folder))), *rest

        return get_save_image_path

    def _stage(self, output_dir: Path, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        staged = output_dir / _STAGING / f"{os.getpid()}-{len(self._pending)}"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        self._pending.append((staged, folder))
        return staged


def files_of(ui: dict[str, Any] | None) -> list[Path]:
    """The files that a node's ui result names: those in the output folder, else those in the temporary one."""
    by_type: dict[str, list[Path]] = {"output": [], "temp": []}
    for values in (ui or {}).values():
        for item in values if isinstance(values, (list, tuple)) else []:
            if isinstance(item, dict) and item.get("filename") and item.get("type") in by_type:
                by_type[item["type"]].append(_path(item))
    return by_type["output"] or by_type["temp"]


def _path(item: dict[str, Any]) -> Path:
    folder = Path(folder_paths.get_directory_by_type(item["type"]))
    return folder / str(item.get("subfolder", "")) / str(item["filename"])


def still_there(cached: Any) -> bool:
    """Whether a cached result can be used again: every file that it names exists."""
    ui = (cached.ui or {}).get("output") if cached.ui else None
    return all(path.exists() for path in files_of(ui))
