"""What executions of nodes took, as the journal keeps it."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

_KEPT = 20_000
"""Measurements that are kept: some hundred jobs of large workflows."""


class Measurement(NamedTuple):
    """One execution of a node; see ``comfyd.workflow.planning.cost`` for what the signatures, ``cold`` and ``amount`` are."""

    exact: str
    near: str
    shape: str
    cold: int
    amount: float
    seconds: float
    peak: int
    """Highest memory of its job, 0 where it is not known."""


_COLUMNS = ", ".join(Measurement._fields)


def add(db: sqlite3.Connection, measurements: Iterable[Measurement]) -> None:
    """Keep them, and forget the oldest beyond a fixed number."""
    db.executemany(f"INSERT INTO measured ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", measurements)
    db.execute("DELETE FROM measured WHERE id <= (SELECT max(id) FROM measured) - ?", (_KEPT,))


def newest(db: sqlite3.Connection, column: str, signature: str, cold: int, limit: int) -> list[Measurement]:
    """The newest of one signature, which is ``exact`` or ``near``."""
    query = f"SELECT {_COLUMNS} FROM measured WHERE {column} = ? AND cold = ? ORDER BY id DESC LIMIT ?"
    return [Measurement(*row) for row in db.execute(query, (signature, cold, limit))]


def least_peak(db: sqlite3.Connection, shape: str) -> int | None:
    """The least memory that a job with a node of this shape was seen to need."""
    least: int | None = db.execute("SELECT min(peak) FROM measured WHERE shape = ? AND peak > 0", (shape,)).fetchone()[0]
    return least
