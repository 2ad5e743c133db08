"""Files of output nodes: written aside and put in place by rename, so that no half-written file ever bears its name.

Pictures are handed to a pool of threads (``images``). What ComfyUI's other save nodes write goes through
``folder_paths.get_save_image_path``, which is wrapped: in a job's thread it answers with a staging folder on the same file
system, and what was written there is moved once the node has returned. Custom nodes, which may look into the folder for their
next number, are given the real one, with everything in it that is on its way.
"""

import itertools
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import folder_paths
import psutil

from .images.deliveries import Deliveries, Tell
from .images.writes import Writes
from .receipts import Receipts

_STAGING = ".comfyd-staging"
_local = threading.local()
_original = folder_paths.get_save_image_path
_parts = itertools.count()
writes = Writes()


class Staging:
    """The staging folders and deliveries of one job; parked jobs keep theirs."""

    def __init__(self, job: int, tell: Tell, cancelled: Callable[[], bool] = lambda: False) -> None:
        self._job = job
        self._cancelled = cancelled
        self._name = f"{os.getpid()}-{job}"
        self._folders: dict[Path, Path] = {}
        """Real folder -> staging folder."""
        self.deliveries = Deliveries(job, writes, tell)
        self.active = False
        """Whether a node of ComfyUI's own executes."""

    def enter(self) -> None:
        """This thread's saves are this job's."""
        _local.staging = self

    def open(self, class_def: Any) -> None:
        """A node begins; stages what it saves when it is one of ComfyUI's own.

        A node of a pack may look for files that are on their way: one that saves for any, another for the job's own.
        """
        self.active = not getattr(class_def, "RELATIVE_PYTHON_MODULE", "nodes").startswith("custom_nodes")
        if not self.active:
            self.deliveries.settle(bool(getattr(class_def, "OUTPUT_NODE", False)), self._cancelled)

    def begin(self, target: Path, output_dir: Path, size: int, parts: Callable[[], Iterable[bytes]]) -> None:
        """Hands in a file whose content ``parts`` makes; see Writes.begin."""
        part = output_dir / _STAGING / f"{self._name}-{next(_parts)}.part"
        self.deliveries.begin(target, part, size, parts)

    def usable(self, cached: Any) -> bool:
        """Whether a cached result can be used by this job: every file that it names exists or is on its way."""
        return all([self.deliveries.available(path) for path in files_of_result(cached)])

    def publish(self) -> None:
        """Moves everything staged to its real place."""
        for real, staged in self._folders.items():
            for file in staged.iterdir():
                writes.publish([self._job], file, real / file.name)

    def discard(self) -> None:
        """The job ends: deletes what a failed node has staged, and the folders."""
        for staged in self._folders.values():
            shutil.rmtree(staged, ignore_errors=True)
        self._folders.clear()
        _local.staging = None

    def staged(self, output_dir: Path, folder: Path) -> Path:
        """Where a node writes what belongs into a folder."""
        if folder not in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            staged = output_dir / _STAGING / f"{self._name}-{len(self._folders)}"
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir(parents=True)
            self._folders[folder] = staged
        return self._folders[folder]


def current() -> Staging | None:
    """The staging of the job whose thread this is."""
    return getattr(_local, "staging", None)


def active() -> Staging | None:
    """The same while one of ComfyUI's own nodes executes."""
    staging = current()
    return staging if staging and staging.active else None


def install(receipts: str) -> None:
    """Wraps ``folder_paths.get_save_image_path`` and clears what killed workers left; ``receipts`` is a folder, or empty."""
    writes.receipts = Receipts(Path(receipts) if receipts else None)

    def get_save_image_path(filename_prefix: str, output_dir: str, *args: Any, **kwargs: Any) -> Any:
        folder, *rest = numbered(filename_prefix, output_dir, *args, **kwargs)
        if staging := active():
            folder = str(staging.staged(Path(output_dir), Path(folder)))
        return folder, *rest

    folder_paths.get_save_image_path = get_save_image_path
    for folder in (folder_paths.get_output_directory(), folder_paths.get_temp_directory()):
        for left in (Path(folder) / _STAGING).glob("*"):
            if not _alive(left.name.split("-")[0]):
                _delete(left)


def numbered(filename_prefix: str, output_dir: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """The engine's ``get_save_image_path``, for which files count that are staged or on their way."""
    if staging := current():
        staging.publish()
    on_their_way = writes.targets()  # before the folder is listed: what arrives meanwhile is seen there
    folder, stem, counter, *rest = _original(filename_prefix, output_dir, *args, **kwargs)
    names = [target.name for target in on_their_way if target.parent == Path(folder)]
    return folder, stem, max([counter, *(number + 1 for number in _numbers(stem, names))]), *rest


def _numbers(stem: str, names: Iterable[str]) -> list[int]:
    """What the names hold after the stem, as the engine reads it."""
    pattern = re.compile(re.escape(os.path.normcase(stem)) + r"_(\d+)(?:[._]|$)")
    return [int(found[1]) for name in names if (found := pattern.match(os.path.normcase(name)))]


def _delete(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)


def _alive(pid: str) -> bool:
    """Whether another worker, which shares the output folder, stages there."""
    return pid.isdigit() and int(pid) != os.getpid() and psutil.pid_exists(int(pid))


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


def files_of_result(cached: Any) -> list[Path]:
    """The files that a cached result names."""
    return files_of((cached.ui or {}).get("output") if cached.ui else None)


def still_there(cached: Any) -> bool:
    """Whether every file that a cached result names exists or is on its way."""
    return all(writes.expected(path) or path.exists() for path in files_of_result(cached))
