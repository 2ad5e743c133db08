"""What lies on disks: the model folders, the journal, and the room that is left."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from comfyd.errors import EngineNotFound

from .finding import Finding, counted, ok, problem, warning
from .setup import Setup

_LEAST = 256 * 2**20  # bytes without which a picture, a journal or a catalogue may not fit
_LITTLE = 5 * 2**30
_MODELS = {".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft"}


def examine_models(setup: Setup) -> Iterator[Finding]:
    """The folders that the engine looks for models in: whether they can be read, and how many models there are."""
    if isinstance(setup.engine, EngineNotFound):
        return
    root = setup.engine.user_directory / "models"
    told = [Path(folder) for folder in setup.catalogue.made_of.folders] if setup.catalogue else []
    folders = [root, *(folder for folder in told if folder != root)]
    unreadable = [folder for folder in folders if not _readable(folder) and (folder == root or os.path.lexists(folder))]
    for folder in unreadable:
        yield problem("models", f"{folder} cannot be read", "Make it a directory that you may read, or mend the link.")
    if not unreadable:
        others = {folder for folder in folders if not folder.is_relative_to(root)}
        files = [file for folder in (root, *others) for file in _models(folder)]
        lost = [file for file in files if not os.access(file, os.R_OK)]
        if lost:
            yield _unreadable(lost)
        more = f" and {counted(len(others), 'folder')} elsewhere" if others else ""
        yield ok("models", f"{counted(len(files) - len(lost), 'model file')} in {root}{more}")


def _unreadable(lost: list[str]) -> Finding:
    what = lost[0] if len(lost) == 1 else f"{lost[0]} and {counted(len(lost) - 1, 'other')}"
    return warning("models", f"{what} cannot be read", "Mend the link or the permissions; until then they count as missing.")


def _readable(folder: Path) -> bool:
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True


def _models(folder: Path) -> Iterator[str]:
    """Model files of a folder with those below it, each once, and what is closed there or leads nowhere."""
    closed: list[OSError] = []
    seen = set()
    for at, below, names in os.walk(folder, onerror=closed.append, followlinks=True):
        if (real := os.path.realpath(at)) in seen:
            below.clear()
            continue
        seen.add(real)
        for path in (f"{at}/{name}" for name in names):
            if Path(path).suffix.lower() in _MODELS or not os.access(path, os.F_OK):
                yield path
    yield from (str(error.filename) for error in closed if not isinstance(error, FileNotFoundError))


def examine_journal(setup: Setup) -> Iterator[Finding]:
    """Whether SQLite finds the journal whole."""
    file = setup.paths.journal
    if not file.exists():
        yield ok("journal", f"none yet ({file})")
        return
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
            (jobs,) = database.execute("SELECT count(*) FROM job").fetchone()
    except sqlite3.Error as error:
        answer, jobs = str(error), 0
    if answer == "ok" and not os.access(file, os.W_OK):
        yield problem("journal", f"{file} cannot be written", "Make it writable for you; until then no job is accepted.")
    elif answer == "ok":
        yield ok("journal", f"{counted(jobs, 'job')}, {file.stat().st_size / 2**20:.1f} MiB ({file})")
    else:
        fix = "`comfyd restart` puts it aside and begins a new one with the jobs that can still be read."
        yield problem("journal", f"{file} is damaged: {answer}", fix)


def examine_disks(setup: Setup) -> Iterator[Finding]:
    """The room for pictures, models, the journal and the caches, once for each file system."""
    paths = setup.paths
    wanted = {"data": paths.data, "state": paths.state, "cache": paths.cache}
    if not isinstance(setup.engine, EngineNotFound):
        wanted["ComfyUI"] = setup.engine.user_directory
    seen: dict[int, tuple[list[str], Path]] = {}
    for name, folder in wanted.items():
        there = next(path for path in (folder, *folder.parents) if path.exists())
        seen.setdefault(there.stat().st_dev, ([], there))[0].append(name)
    for names, there in seen.values():
        yield _room(" and ".join(names), there)


def _room(names: str, there: Path) -> Finding:
    free = shutil.disk_usage(there).free
    room = f"{free / 2**30:.1f} GiB" if free >= 2**30 else f"{free / 2**20:.0f} MiB"
    text = f"{room} free for {names} ({there})"
    if not os.access(there, os.W_OK):
        return problem("disk", f"{there} cannot be written", "Make it writable, or set COMFYD_HOME to a place that is.")
    if free < _LEAST:
        return problem("disk", text, "Delete what is not needed: pictures and jobs fail when nothing is left.")
    if free < _LITTLE:
        return warning("disk", text, "A model takes 2 to 30 GiB; make room before you add one.")
    return ok("disk", text)
