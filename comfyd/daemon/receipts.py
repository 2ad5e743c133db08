"""The daemon's side of receipts (``comfyd.receipts``): what an interrupted attempt has left goes before the next one begins."""

import contextlib
import logging
from collections.abc import Callable, Collection
from pathlib import Path

from comfyd.receipts import Published, published, read, surplus, unchanged

log = logging.getLogger("comfyd.jobs")

_DAY = 86_400.0

Told = Callable[[float], Collection[str]]
"""Takes a moment; the files of the jobs that ended then or later."""


class Receipts:
    """The receipts of all jobs, one file for each in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, jobs: Collection[int]) -> None:
        """Only these jobs have not ended; receipts of others concern nobody."""
        unfinished = {str(job) for job in jobs}
        for file in list(self._folder.glob("*")):
            if file.name not in unfinished:
                self.forget(file.name)

    def forget(self, job: int | str) -> None:
        """The job has ended, or is a new one of a number that a lost journal knew: what was published stays."""
        with contextlib.suppress(OSError):
            (self._folder / str(job)).unlink()

    def take_back(self, job: int, told: Told) -> None:
        """The job is about to be run: remove what an earlier attempt has published and no ended job was told of."""
        try:
            entries = unchanged(read((self._folder / str(job)).read_bytes()), _find)
        except OSError:
            return
        if entries:
            for path in surplus(entries, told(min(entry.modified for entry in entries) / 1e9 - _DAY)):
                _remove(job, path)
        self.forget(job)


def _find(entry: Published) -> Published | None:
    try:
        return published(entry.path, Path(entry.path).lstat())
    except (OSError, ValueError):
        return None


def _remove(job: int, path: str) -> None:
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        log.warning("job %d runs again, and %s of its interrupted attempt cannot be removed (%s)", job, path, error.strerror)
    else:
        log.info("job %d runs again; removed %s of its interrupted attempt", job, path, extra={"job": job})
