"""What can still be read of a damaged journal is taken over into a new one."""

import contextlib
import sqlite3
from pathlib import Path

_MISSES = 1000
"""Ids without a readable row after which no more are looked for."""


def salvage(damaged: Path, new: sqlite3.Connection) -> int:
    """Copy the jobs that can be read, one by one, into a journal of the present schema; how many there were."""
    with contextlib.closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as old:
        old.row_factory = sqlite3.Row
        old.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of a file shorter than its header says
        known = {row[1] for row in new.execute("PRAGMA table_info(job)")}
        count, misses, id = 0, 0, 0
        while misses < _MISSES:
            id += 1
            row = _row(old, id)
            misses = misses + 1 if row is None else 0
            if row is not None:
                count += _copy(row, known, new)
    return count


def _row(old: sqlite3.Connection, id: int) -> sqlite3.Row | None:
    try:
        found: sqlite3.Row | None = old.execute("SELECT * FROM job WHERE id = ?", (id,)).fetchone()
    except sqlite3.DatabaseError:
        return None
    return found


def _copy(row: sqlite3.Row, known: set[str], new: sqlite3.Connection) -> bool:
    names = [name for name in row.keys() if name in known]  # noqa: SIM118 - a Row iterates over its values
    try:
        marks = ", ".join("?" * len(names))
        new.execute(f"INSERT INTO job ({', '.join(names)}) VALUES ({marks})", [row[name] for name in names])
    except sqlite3.Error:
        return False
    return True
