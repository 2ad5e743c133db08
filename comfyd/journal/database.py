"""The journal's file: opened when it is first needed and again after a failure, so that none is a reason for a restart."""

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from comfyd.errors import JournalUnavailable

from .failures import READ_ONLY, is_damage, is_io, is_passing, is_refusal, sentence
from .schema import migrate

log = logging.getLogger("comfyd.journal")

_PATIENCE = 0.5  # seconds to wait for another program's lock
_mapped: set[Path] = set()
"""The files whose wal-index this process has mapped for writing."""


class Database:
    """One SQLite file of the present schema; a damaged one is put aside, with what can be read of it taken over."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.notice = ""
        """What a person should know about the file: that it was damaged."""
        self._connection: sqlite3.Connection | None = None
        self._damaged = False
        self._refused = False

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None and self._is_deadly():
            _keep_for_ever(self._connection)  # to close it would write, too
        elif self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _opened(self, db: sqlite3.Connection) -> None:
        """The file was opened, or much of it replaced."""

    def _begin(self, db: sqlite3.Connection) -> None:
        """Something is about to be read or written."""

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The open database. A failure closes it, unless it passes: on a full disk it might not be opened again."""
        if self._is_deadly():
            raise JournalUnavailable(sentence(self.file, READ_ONLY), detail="the wal-index cannot be written")
        if self._connection is not None and not os.path.lexists(self.file):
            self._put_back(self._connection)
        if self._refused:  # opened while the file was read-only, a connection stays so
            Database.close(self)
        try:
            if self._connection is None:
                self._connection = self._open()
            self._begin(self._connection)
            with self._connection:
                yield self._connection
            self._refused = self._refused and not self._connection.total_changes
        except (sqlite3.Error, OSError) as error:
            cause = READ_ONLY if is_io(error) and not all(map(_is_writable, self._files())) else error
            self._damaged = is_damage(cause)
            self._refused = is_refusal(cause)
            if not is_passing(cause):
                Database.close(self)
            raise JournalUnavailable(sentence(self.file, cause), detail=repr(error)) from error

    def _is_deadly(self) -> bool:
        """Whether to touch the database would end the process: SIGBUS, where a mapped file has become read-only meanwhile."""
        return self.file in _mapped and not _is_writable(self._index)

    @property
    def _index(self) -> str:
        return f"{self.file}-shm"

    def _files(self) -> tuple[str, ...]:
        return str(self.file), f"{self.file}-wal", self._index

    def _put_back(self, removed: sqlite3.Connection) -> None:
        """The file was removed: what is in it is lost with the connection, so that it is written anew from there."""
        part = self.file.with_name(f"{self.file.name}.part")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(part)) as copy:
                removed.backup(copy)
            part.chmod(0o600)
            part.rename(self.file)
        except (sqlite3.Error, OSError) as error:
            raise JournalUnavailable(sentence(self.file, error), detail=repr(error)) from error
        Database.close(self)
        self.notice = f"The journal {self.file} was removed; all that was in it is there again."
        log.warning("%s", self.notice)

    def _open(self) -> sqlite3.Connection:
        if not self._damaged:
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
        aside = _move_aside(self.file)
        self._damaged = False
        db = self._connect()
        self.notice = self._taken_over(aside, db)
        log.error("%s", self.notice)
        return db

    def _taken_over(self, aside: Path, db: sqlite3.Connection) -> str:
        from .salvage import salvage  # few ever need it

        try:
            with db:
                saved = salvage(aside, db)
            self._opened(db)
        except sqlite3.Error:
            saved = 0
        kept = f"the {saved} jobs that could be read were taken over" if saved else "no job could be read"
        return f"The journal {self.file} was damaged; {kept}, and the rest is in {aside}."

    def _connect(self) -> sqlite3.Connection:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.file, timeout=_PATIENCE)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            migrate(db, self.file)
            self._opened(db)
        except BaseException:
            db.close()
            raise
        self._refused = self._refused or not _is_writable(str(self.file))
        if _is_writable(self._index):
            _mapped.add(self.file)
        return db


def _is_writable(file: str) -> bool:
    """Whether it can be written, or is not there."""
    return os.access(file, os.W_OK) or not os.path.lexists(file)


def _keep_for_ever(connection: sqlite3.Connection) -> None:
    """Not even the interpreter's end closes it; what is in the log is found by whoever opens the file next."""
    import ctypes  # hardly ever needed

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _move_aside(file: Path) -> Path:
    """Rename the database and its companions, so that nothing of it is lost."""
    aside = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{file}{suffix}").rename(f"{aside}{suffix}")
    return aside
