"""What can still be read of a damaged journal is taken over into a new one."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_MISSES = 1000
"""Ids without a readable row after which no more are looked for, where the highest id cannot be read."""
_SPAN = 200_000
"""Ids that are looked at, at most: what a damaged file says of itself may be anything."""


def salvage(damaged: Path, new: sqlite3.Connection) -> int:
    """Copy the jobs that can be read, one by one, into a journal of the present schema; how many there were."""
    with contextlib.closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as old:
        old.row_factory = sqlite3.Row
        old.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of a file shorter than its header says
        known = {row[1] for row in new.execute("PRAGMA table_info(job)")}
        lowest, highest = _span(old)
        count = sum(_copy(row, known, new) for row in _rows(old, lowest, highest))
    _number_from(highest, new)
    return count


def _span(old: sqlite3.Connection) -> tuple[int, int]:
    """The lowest and the highest id, as far as they can be known: the first jobs are long forgotten."""
    highest = _number(old, "SELECT max(id) FROM job") or _number(old, "SELECT seq FROM sqlite_sequence WHERE name = 'job'")
    lowest = _number(old, "SELECT min(id) FROM job") or max(1, highest - _SPAN)
    return lowest, min(highest, lowest + _SPAN)


def _rows(old: sqlite3.Connection, lowest: int, highest: int) -> Iterator[sqlite3.Row]:
    id, misses = lowest, 0
    while id <= highest or misses < _MISSES:
        row = _row(old, id)
        misses = misses + 1 if row is None else 0
        if row is not None:
            yield row
        id += 1


def _number_from(highest: int, new: sqlite3.Connection) -> None:
    """See to it that no number is given again, also where its job could not be read."""
    found = new.execute("SELECT seq FROM sqlite_sequence WHERE name = 'job'").fetchone()
    if found is None or found[0] < highest:
        new.execute("DELETE FROM sqlite_sequence WHERE name = 'job'")
        new.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('job', ?)", (highest,))


def _number(old: sqlite3.Connection, query: str) -> int:
    """The query's number, 0 where it cannot be read."""
    try:
        found = old.execute(query).fetchone()
    except sqlite3.DatabaseError:
        return 0
    return int(found[0] or 0) if found else 0


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
