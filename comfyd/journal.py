"""Jobs and their history in one SQLite file; every failure is a JournalUnavailable that says what to do.

The file is opened when it is first needed and again after a failure, so that a full disk is no reason for a restart.
"""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from .effects import End
from .errors import JournalUnavailable
from .protocol import Cancelled, Done, ErrorInfo, Failed, JobEnd, JobRecord, encode

log = logging.getLogger("comfyd.journal")

_STEPS = (
    """
    CREATE TABLE job (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        workflow TEXT NOT NULL,
        overrides BLOB NOT NULL,
        graph BLOB NOT NULL,
        extra_data BLOB NOT NULL,
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        attempts INTEGER NOT NULL DEFAULT 0,
        nodes_total INTEGER NOT NULL DEFAULT 0,
        nodes_run INTEGER NOT NULL DEFAULT 0,
        files BLOB,
        end BLOB
    );
    CREATE INDEX open_jobs ON job (id) WHERE end IS NULL;
    CREATE INDEX ended_jobs ON job (finished) WHERE end IS NOT NULL;
    """,
    "ALTER TABLE job ADD COLUMN mode TEXT NOT NULL DEFAULT '';",
    """
    CREATE TABLE measured (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        exact TEXT NOT NULL,
        near TEXT NOT NULL,
        shape TEXT NOT NULL,
        cold INTEGER NOT NULL,
        amount REAL NOT NULL,
        seconds REAL NOT NULL,
        peak INTEGER NOT NULL
    );
    CREATE INDEX measured_exactly ON measured (exact, cold);
    CREATE INDEX measured_nearly ON measured (near, cold);
    CREATE INDEX measured_shapes ON measured (shape, peak);
    CREATE INDEX jobs_of_workflow ON job (workflow, id);
    """,
)
"""Step n takes the schema from version n to n + 1; the version is SQLite's user_version."""

_COLUMNS = "id, state, workflow, overrides, created, started, finished, attempts, nodes_total, nodes_run, files, end, mode"
_MEASURED = 20_000
"""Measurements that are kept: some hundred jobs of large workflows."""
_PATIENCE = 0.5  # seconds to wait for another program's lock
_decode_end = msgspec.msgpack.Decoder(JobEnd).decode
_unpack = msgspec.msgpack.decode


class Measurement(NamedTuple):
    """One execution of a node; see ``comfyd.workflow.cost`` for what the signatures, ``cold`` and ``amount`` are."""

    exact: str
    near: str
    shape: str
    cold: int
    amount: float
    seconds: float
    peak: int
    """Highest memory of its job, 0 where it is not known."""


class Begun(NamedTuple):
    """A job that runs or has ended, with its graph as it was bound, encoded."""

    id: int
    state: str
    graph: bytes
    finished: float | None
    end: JobEnd | None


class Journal:
    """The journal of one daemon. Blobs are msgpack; ``graph`` and ``extra_data`` go in and out encoded."""

    def __init__(self, file: Path, history: int) -> None:
        self.file = file
        self.notice = ""
        """What a person should know about the file: that it was damaged."""
        self.history = history
        self._connection: sqlite3.Connection | None = None
        self._ended = 0
        self._newest = 0
        self._damaged = False
        self._refused = False
        self._owed: dict[int, tuple[End, float]] = {}
        """Ends that could not be written down yet, on a full disk for example; every use of the journal tries again."""
        self._unpaid = ""
        """Why the last try failed."""

    def close(self) -> None:
        """Let go of the file, once what is owed is written down, if it can be."""
        if self._owed:
            with contextlib.suppress(JournalUnavailable), self._transaction():
                pass
        self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    # ------------------------------------------------------------ writing

    def add(self, workflow: str, overrides: dict[str, Any], graph: bytes, extra_data: bytes, now: float, mode: str = "") -> int:
        """Store a queued job and return its id; once this returns, the job survives the daemon."""
        with self._transaction() as db:
            row = db.execute(
                "INSERT INTO job (state, workflow, overrides, graph, extra_data, created, mode) "
                "VALUES ('queued', ?, ?, ?, ?, ?, ?)",
                (workflow, encode(overrides), graph, extra_data, now, mode),
            )
            self._newest = int(row.lastrowid or 0)
            return self._newest

    def start(self, id: int, attempt: int, now: float) -> None:
        """The job is with the worker."""
        with self._transaction() as db:
            db.execute("UPDATE job SET state = 'running', attempts = ?, started = ? WHERE id = ?", (attempt, now, id))

    def requeue(self, id: int, attempts: int) -> None:
        """The job waits again."""
        with self._transaction() as db:
            db.execute("UPDATE job SET state = 'queued', attempts = ?, started = NULL WHERE id = ?", (attempts, id))

    def end(self, end: End, now: float) -> None:
        """The job has ended; the oldest ended jobs beyond ``history`` are forgotten. An end that cannot be written is owed."""
        self._owed[end.job] = (end, now)
        with self._transaction() as db:
            if self._ended > self.history + self.history // 20:
                self._forget(db)
        if end.job in self._owed:
            raise JournalUnavailable(self._unpaid)

    def _pay(self, db: sqlite3.Connection) -> None:
        """Write down the ends that are owed; on a full disk they stay so, and what only reads goes on."""
        try:
            with db:
                for end, now in self._owed.values():
                    db.execute(
                        "UPDATE job SET state = ?, finished = ?, nodes_total = ?, nodes_run = ?, files = ?, end = ? WHERE id = ?",
                        (state_of(end.event), now, end.nodes_total, end.nodes_run, encode(end.files), encode(end.event), end.job),
                    )
        except sqlite3.Error as error:
            if _is_damage(error):
                raise
            self._unpaid = _sentence(self.file, error)
            return
        self._ended += len(self._owed)
        self._owed.clear()

    def _forget(self, db: sqlite3.Connection) -> None:
        db.execute(
            "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE end IS NOT NULL ORDER BY finished DESC LIMIT -1 OFFSET ?)",
            (self.history,),
        )
        self._ended = self.history

    def measure(self, measurements: Iterable[Measurement]) -> None:
        """Keep what executions of nodes took; the oldest beyond a fixed number are forgotten."""
        with self._transaction() as db:
            columns = ", ".join(Measurement._fields)
            db.executemany(f"INSERT INTO measured ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", measurements)
            db.execute("DELETE FROM measured WHERE id <= (SELECT max(id) FROM measured) - ?", (_MEASURED,))

    # ------------------------------------------------------------ reading

    def measured(self, column: str, signature: str, cold: int, limit: int) -> list[Measurement]:
        """The newest measurements of one signature, which is ``exact`` or ``near``."""
        with self._transaction() as db:
            columns = ", ".join(Measurement._fields)
            query = f"SELECT {columns} FROM measured WHERE {column} = ? AND cold = ? ORDER BY id DESC LIMIT ?"
            return [Measurement(*row) for row in db.execute(query, (signature, cold, limit))]

    def least_peak(self, shape: str) -> int | None:
        """The least memory that a job with a node of this shape was seen to need."""
        with self._transaction() as db:
            query = "SELECT min(peak) FROM measured WHERE shape = ? AND peak > 0"
            least: int | None = db.execute(query, (shape,)).fetchone()[0]
            return least

    def begun(self, workflow: str | None, limit: int) -> list[Begun]:
        """The newest jobs that have begun, of one workflow or of any."""
        named = "" if workflow is None else "workflow = ? AND "
        with self._transaction() as db:
            query = f"SELECT id, state, graph, finished, end FROM job WHERE {named}state != 'queued' ORDER BY id DESC LIMIT ?"
            rows = db.execute(query, (limit,) if workflow is None else (workflow, limit))
            return [
                Begun(id, state, graph, finished, None if end is None else _decode_end(end))
                for id, state, graph, finished, end in rows
            ]

    def last_overrides(self, workflow: str) -> dict[str, Any]:
        """The overrides of the newest job of this workflow, whatever became of it; nothing where there is none."""
        with self._transaction() as db:
            row = db.execute("SELECT overrides FROM job WHERE workflow = ? ORDER BY id DESC LIMIT 1", (workflow,)).fetchone()
        return {} if row is None else dict(_unpack(row[0]))

    def unfinished(self) -> list[tuple[int, bool, int]]:
        """``(id, was running, attempts)`` of all jobs that have not ended, in the order of their submission."""
        with self._transaction() as db:
            rows = db.execute("SELECT id, state = 'running', attempts FROM job WHERE end IS NULL ORDER BY id")
            return [(id, bool(ran), attempts) for id, ran, attempts in rows]

    def graph(self, id: int) -> tuple[bytes, bytes, str]:
        """Graph and extra data of a job, encoded, and its mode."""
        with self._transaction() as db:
            row = db.execute("SELECT graph, extra_data, mode FROM job WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise JournalUnavailable(f"Job {id} is no longer in the journal {self.file}; submit it again.")
        return row[0], row[1], row[2]

    def record(self, id: int) -> JobRecord | None:
        """One job, if it is known."""
        with self._transaction() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (id,)).fetchone()
        return None if row is None else _record(row)

    def end_of(self, id: int) -> JobEnd | None:
        """The final event of an ended job."""
        if id in self._owed:
            return self._owed[id][0].event
        with self._transaction() as db:
            row = db.execute("SELECT end FROM job WHERE id = ?", (id,)).fetchone()
        return None if row is None or row[0] is None else _decode_end(row[0])

    def ended(self, limit: int, workflow: str = "", states: Sequence[str] = (), since: float = 0.0) -> list[JobRecord]:
        """Ended jobs, newest first: of one workflow, in these states, since a moment, where that is asked for."""
        wanted = ["end IS NOT NULL", "finished >= ?", *["workflow = ?"] * bool(workflow)]
        wanted += [f"state IN ({', '.join('?' * len(states))})"] * bool(states)
        values = [since, *[workflow] * bool(workflow), *states, limit]
        with self._transaction() as db:
            query = f"SELECT {_COLUMNS} FROM job WHERE {' AND '.join(wanted)} ORDER BY finished DESC, id DESC LIMIT ?"
            return [_record(row) for row in db.execute(query, values)]

    def newest(self) -> int:
        """The highest id there is, 0 without jobs."""
        with self._transaction() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM job").fetchone()[0])

    # ------------------------------------------------------------ the file

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The open database; one failed statement closes it, the next use opens it again."""
        if self._refused:  # opened while the file was read-only, a connection stays so
            self._let_go()
        try:
            if self._connection is None:
                self._connection = self._open()
            if self._owed:
                self._pay(self._connection)
            with self._connection:
                yield self._connection
            self._refused = self._refused and not self._connection.total_changes
        except (sqlite3.Error, OSError) as error:
            self._damaged = _is_damage(error)
            self._refused = "readonly" in str(error).lower()
            self._let_go()
            raise JournalUnavailable(_sentence(self.file, error), detail=repr(error)) from error

    def _open(self) -> sqlite3.Connection:
        if not self._damaged:
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
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
            self._count(db)
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
            _migrate(db, self.file)
            self._count(db)
        except BaseException:
            db.close()
            raise
        return db

    def _count(self, db: sqlite3.Connection) -> None:
        """See how many jobs have ended, and to it that no number this daemon has given is given again."""
        self._ended = int(db.execute("SELECT count(*) FROM job WHERE end IS NOT NULL").fetchone()[0])
        newest = int(db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'job'").fetchone()[0])
        if newest < self._newest:
            with db:
                db.execute("DELETE FROM sqlite_sequence WHERE name = 'job'")
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('job', ?)", (self._newest,))


def state_of(end: JobEnd) -> str:
    """The state's name of a job that ended so."""
    match end:
        case Done():
            return "done"
        case Failed():
            return "failed"
        case Cancelled():
            return "cancelled"


def _migrate(db: sqlite3.Connection, file: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_STEPS):
        raise sqlite3.NotSupportedError(f"{file} was written by a newer comfyd (schema {version}, this one knows {len(_STEPS)})")
    for number, step in enumerate(_STEPS[version:], version + 1):
        db.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")


def _record(row: tuple[Any, ...]) -> JobRecord:
    id, state, workflow, overrides, created, started, finished, attempts, nodes_total, nodes_run, files, end, mode = row
    event = None if end is None else _decode_end(end)
    return JobRecord(
        id=id,
        state=state,
        workflow=workflow,
        overrides=_unpack(overrides),
        created=created,
        started=started,
        finished=finished,
        attempts=attempts,
        nodes_total=nodes_total,
        nodes_run=nodes_run,
        files=[] if files is None else _unpack(files),
        peak_memory=event.peak_memory if isinstance(event, Done) else 0,
        mode=event.mode if isinstance(event, Done) and event.mode else mode,
        error=_error(event),
    )


def _error(event: JobEnd | None) -> ErrorInfo | None:
    return event.error if isinstance(event, Failed) else None


# ---------------------------------------------------------------- failures

_CAUSES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda text: "full" in text or "no space" in text, "has no space left; free some on its disk and try again"),
    (lambda text: "readonly" in text or "read-only" in text, "cannot be written; make it writable for you and try again"),
    (lambda text: "permission" in text or "unable to open" in text, "cannot be opened; check the permissions of its directory"),
    (lambda text: "locked" in text, "is locked by another program; close that program and try again"),
    (lambda text: "newer comfyd" in text, "was written by a newer comfyd; update comfyd, or move the file away"),
)


def _sentence(file: Path, error: Exception) -> str:
    text = str(error).lower()
    for fits, sentence in _CAUSES:
        if fits(text):
            return f"The journal {file} {sentence}."
    return f"The journal {file} failed ({error}); `comfyd logs` has more, and `comfyd stop && comfyd start` opens it anew."


def _is_damage(error: Exception) -> bool:
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    return any(words in str(error).lower() for words in ("not a database", "malformed", "no such table"))


def _move_aside(file: Path) -> Path:
    """Rename the database and its companions, so that nothing of it is lost."""
    aside = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{file}{suffix}").rename(f"{aside}{suffix}")
    return aside
