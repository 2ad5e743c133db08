"""Files of output nodes: written aside and put in place by rename, so that no half-written file ever bears its name.

ComfyUI's own save nodes ask ``folder_paths.get_save_image_path`` where to write. That function is wrapped: in a job's thread it
answers with a staging folder on the same file system, and what was written there is moved once the node has returned. Custom
nodes, which may look into the folder for their next number, are given the real one.
"""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import folder_paths
import psutil

_STAGING = ".comfyd-staging"
_local = threading.local()


class Staging:
    """The staging folders of one job; parked jobs keep theirs."""

    def __init__(self, job: int) -> None:
        self._name = f"{os.getpid()}-{job}"
        self._folders: dict[Path, Path] = {}
        """Real folder -> staging folder."""
        self._active = False

    def enter(self) -> None:
        """This thread's saves are this job's."""
        _local.staging = self

    def open(self, python_module: str) -> None:
        """A node begins; stages what it saves when it is one of ComfyUI's own."""
        self._active = not python_module.startswith("custom_nodes")

    def publish(self) -> None:
        """Moves everything staged to its real place."""
        for real, staged in self._folders.items():
            for file in staged.iterdir():
                _move(file, real / file.name)

    def discard(self) -> None:
        """The job ends: deletes what a failed node has staged, and the folders."""
        for staged in self._folders.values():
            shutil.rmtree(staged, ignore_errors=True)
        self._folders.clear()
        _local.staging = None

    def path(self, output_dir: str, ask: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
        """What ``get_save_image_path`` answers to this job; ``ask`` asks the original."""
        if not self._active:
            return ask()
        self.publish()  # an earlier call's files must count for this one's number
        folder, *rest = ask()
        return str(self._stage(Path(output_dir), Path(folder))), *rest

    def _stage(self, output_dir: Path, folder: Path) -> Path:
        if folder not in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            staged = output_dir / _STAGING / f"{self._name}-{len(self._folders)}"
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir(parents=True)
            self._folders[folder] = staged
        return self._folders[folder]


def install() -> None:
    """Wraps ``folder_paths.get_save_image_path`` and clears what killed workers left."""
    original = folder_paths.get_save_image_path

    def get_save_image_path(filename_prefix: str, output_dir: str, *args: Any, **kwargs: Any) -> Any:
        def ask() -> tuple[Any, ...]:
            answer: tuple[Any, ...] = original(filename_prefix, output_dir, *args, **kwargs)
            return answer

        staging: Staging | None = getattr(_local, "staging", None)
        return ask() if staging is None else staging.path(output_dir, ask)

    folder_paths.get_save_image_path = get_save_image_path
    for folder in (folder_paths.get_output_directory(), folder_paths.get_temp_directory()):
        for left in (Path(folder) / _STAGING).glob("*"):
            if not _alive(left.name.split("-")[0]):
                shutil.rmtree(left, ignore_errors=True)


def _alive(pid: str) -> bool:
    """Whether another worker, which shares the output folder, stages there."""
    return pid.isdigit() and int(pid) != os.getpid() and psutil.pid_exists(int(pid))


def _move(file: Path, target: Path) -> None:
    try:
        file.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A subfolder that is another file system: the copy gets its name when it is whole.
        part = target.with_name(f".{target.name}.part")
        shutil.copyfile(file, part)
        part.replace(target)
        file.unlink()


def files_of(ui: dict[str, Any] | None) -> list[Path]:
    """The files that a node's ui result names: those in the output folder, else those in the temporary one."""
    by_type: dict[str, list[Path]] = {"output": [], "temp": []}
    for values in (ui or {}).values():
        for item in values if isinstance(values, (list, tuple)) else []:
            if isinstance(item, dict) and item.get("filename") and item.get("type") in ("output", "temp"):
                by_type[item["type"]].append(_path(item))
    return by_type["output"] or by_type["temp"]


def _path(item: dict[str, Any]) -> Path:
    folder = Path(folder_paths.get_directory_by_type(item["type"]))
    return folder / str(item.get("subfolder") or "") / str(item["filename"])


def still_there(cached: Any) -> bool:
    """Whether a cached result can be used again: every file that it names exists."""
    ui = (cached.ui or {}).get("output") if cached.ui else None
    return all(path.exists() for path in files_of(ui))
