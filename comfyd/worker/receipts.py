"""The worker's side of receipts (``comfyd.receipts``): a line for each file, appended before the file gets its name.

Nothing is synced: what was written outlives any death of the process, and a power cut that takes it takes the journal's
newest entries as well.
"""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from comfyd.receipts import line, published

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class Receipts:
    """The receipts of all jobs, one file for each in a folder; without a folder none are written."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._complained = False

    def note(self, jobs: Iterable[int], file: Path | int, target: Path) -> None:
        """Writes down that ``file`` is about to become ``target`` for these jobs; where that fails the log says so, once."""
        if self._folder is None:
            return
        try:
            text = line(published(str(target.absolute()), os.stat(file)))  # noqa: PTH116 - of a descriptor, too
            for job in jobs:
                _append(self._folder / str(job), text)
        except (OSError, UnicodeEncodeError) as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            logging.warning(
                "comfyd: what jobs publish cannot be noted in %s (%s), so one that is run again after a crash may leave its "
                "files twice; make room there or make it writable",
                self._folder,
                error,
            )


def _append(receipt: Path, text: bytes) -> None:
    try:
        file = os.open(receipt, _FLAGS, 0o600)
    except FileNotFoundError:
        receipt.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(receipt, _FLAGS, 0o600)
    try:
        os.write(file, text)
    finally:
        os.close(file)
