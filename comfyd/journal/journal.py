"""The jobs of one daemon, each with its graph and its end, and what the executions of its nodes took."""

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from comfyd.effects import End
from comfyd.errors import JournalUnavailable
from comfyd.protocol import JobEnd, JobRecord, encode

from . import measurements
from .database import Database
from .failures import is_damage, sentence
from .measurements import Measurement
from .records import COLUMNS, Begun, decode_end, record_of, state_of, unpack


class Forgotten(JournalUnavailable):
    """The job is no longer in the journal, and never will be again."""


class Journal(Database):
    """The journal of one daemon. Blobs are msgpack; ``graph`` and ``extra_data`` go in and out encoded."""

    def __init__(self, file: Path, history: int) -> None:
        super().__init__(file)
        self.history = history
        self._ended = 0
        self._newest = 0
        self._owed: dict[int, tuple[End, float]] = {}
        """Ends that could not be written down yet, on a full disk for example; every use of the journal tries again."""
        self._unpaid = ""
        """Why the last try failed."""

    def close(self) -> None:
        """Let go of the file, once what is owed is written down, if it can be."""
        if self._owed:
            with contextlib.suppress(JournalUnavailable), self._transaction():
                pass
        super().close()

    # ------------------------------------------------------------ writing

    def add(
        self,
        workflow: str,
        overrides: dict[str, Any],
        graph: bytes,
        extra_data: bytes,
        now: float,
        mode: str = "",
        sweep: str = "",
    ) -> int:
        """Store a queued job and return its id; once this returns, the job survives the daemon."""
        with self._transaction() as db:
            row = db.execute(
                "INSERT INTO job (state, workflow, overrides, graph, extra_data, created, mode, sweep) "
                "VALUES ('queued', ?, ?, ?, ?, ?, ?, ?)",
                (workflow, encode(overrides), graph, extra_data, now, mode, sweep),
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

    def _begin(self, db: sqlite3.Connection) -> None:
        """Write down the ends that are owed; on a full disk they stay so, and what only reads goes on."""
        if not self._owed:
            return
        try:
            with db:
                for end, now in self._owed.values():
                    db.execute(
                        "UPDATE job SET state = ?, finished = ?, nodes_total = ?, nodes_run = ?, files = ?, end = ? WHERE id = ?",
                        (state_of(end.event), now, end.nodes_total, end.nodes_run, encode(end.files), encode(end.event), end.job),
                    )
        except sqlite3.Error as error:
            if is_damage(error):
                raise
            self._unpaid = sentence(self.file, error)
            return
        self._ended += len(self._owed)
        self._owed.clear()

    def _forget(self, db: sqlite3.Connection) -> None:
        db.execute(
            "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE end IS NOT NULL ORDER BY finished DESC LIMIT -1 OFFSET ?)",
            (self.history,),
        )
        self._ended = self.history

    # ------------------------------------------------------------ reading

    def begun(self, workflow: str | None, limit: int) -> list[Begun]:
        """The newest jobs that have begun, of one workflow or of any."""
        named = "" if workflow is None else "workflow = ? AND "
        with self._transaction() as db:
            query = f"SELECT id, state, graph, finished, end FROM job WHERE {named}state != 'queued' ORDER BY id DESC LIMIT ?"
            rows = db.execute(query, (limit,) if workflow is None else (workflow, limit))
            return [
                Begun(id, state, graph, finished, None if end is None else decode_end(end))
                for id, state, graph, finished, end in rows
            ]

    def last_overrides(self, workflow: str) -> dict[str, Any]:
        """The overrides of the newest job of this workflow, whatever became of it; nothing where there is none."""
        with self._transaction() as db:
            row = db.execute("SELECT overrides FROM job WHERE workflow = ? ORDER BY id DESC LIMIT 1", (workflow,)).fetchone()
        return {} if row is None else dict(unpack(row[0]))

    def unfinished(self) -> list[tuple[int, bool, int]]:
        """``(id, was running, attempts)`` of all jobs that have not ended, in the order of their submission."""
        with self._transaction() as db:
            rows = db.execute("SELECT id, state = 'running', attempts FROM job WHERE end IS NULL ORDER BY id")
            return [(id, bool(ran), attempts) for id, ran, attempts in rows if id not in self._owed]

    def graph(self, id: int) -> tuple[bytes, bytes, str]:
        """Graph and extra data of a job, encoded, and its mode."""
        with self._transaction() as db:
            row = db.execute("SELECT graph, extra_data, mode FROM job WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise Forgotten(f"Job {id} is no longer in the journal {self.file}; submit it again.")
        return row[0], row[1], row[2]

    def record(self, id: int) -> JobRecord | None:
        """One job, if it is known."""
        with self._transaction() as db:
            row = db.execute(f"SELECT {COLUMNS} FROM job WHERE id = ?", (id,)).fetchone()
        return None if row is None else record_of(row)

    def end_of(self, id: int) -> JobEnd | None:
        """The final event of an ended job."""
        if id in self._owed:
            return self._owed[id][0].event
        with self._transaction() as db:
            row = db.execute("SELECT end FROM job WHERE id = ?", (id,)).fetchone()
        return None if row is None or row[0] is None else decode_end(row[0])

    def ended(self, limit: int, workflow: str = "", states: Sequence[str] = (), since: float = 0.0) -> list[JobRecord]:
        """Ended jobs, newest first: of one workflow, in these states, since a moment, where that is asked for."""
        wanted = ["end IS NOT NULL", "finished >= ?", *["workflow = ?"] * bool(workflow)]
        wanted += [f"state IN ({', '.join('?' * len(states))})"] * bool(states)
        values = [since, *[workflow] * bool(workflow), *states, limit]
        with self._transaction() as db:
            query = f"SELECT {COLUMNS} FROM job WHERE {' AND '.join(wanted)} ORDER BY finished DESC, id DESC LIMIT ?"
            return [record_of(row) for row in db.execute(query, values)]

    def told(self, since: float) -> set[str]:
        """The files of all jobs that ended at this moment or later, be their ends written down or owed."""
        with self._transaction() as db:
            rows = db.execute("SELECT files FROM job WHERE end IS NOT NULL AND finished >= ? AND files IS NOT NULL", (since,))
            written = {file for (files,) in rows for file in unpack(files)}
        return written.union(*(end.files for end, _ in self._owed.values()))

    def newest(self) -> int:
        """The highest id there is, 0 without jobs."""
        with self._transaction() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM job").fetchone()[0])

    # ------------------------------------------------------------ measurements

    def measure(self, taken: Iterable[Measurement]) -> None:
        """Keep what executions of nodes took; the oldest beyond a fixed number are forgotten."""
        with self._transaction() as db:
            measurements.add(db, taken)

    def measured(self, column: str, signature: str, cold: int, limit: int) -> list[Measurement]:
        """The newest measurements of one signature, which is ``exact`` or ``near``."""
        with self._transaction() as db:
            return measurements.newest(db, column, signature, cold, limit)

    def least_peak(self, shape: str) -> int | None:
        """The least memory that a job with a node of this shape was seen to need."""
        with self._transaction() as db:
            return measurements.least_peak(db, shape)

    # ------------------------------------------------------------ the file

    def _opened(self, db: sqlite3.Connection) -> None:
        """See how many jobs have ended, and to it that no number this daemon has given is given again."""
        self._ended = int(db.execute("SELECT count(*) FROM job WHERE end IS NOT NULL").fetchone()[0])
        newest = int(db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'job'").fetchone()[0])
        if newest < self._newest:
            with db:
                db.execute("DELETE FROM sqlite_sequence WHERE name = 'job'")
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('job', ?)", (self._newest,))
