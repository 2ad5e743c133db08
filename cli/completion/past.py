"""What the journal tells without its daemon: jobs that have not ended, values that runs were given. Never waited for."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

_RUNS = 50
_PATIENCE = 0.05  # seconds; a key press waits for no lock


def unfinished(journal: Path) -> list[tuple[int, str]]:
    """Number and workflow of running and waiting jobs."""
    return _read(journal, "SELECT id, workflow FROM job WHERE end IS NULL ORDER BY id")


def values(journal: Path, workflow: str) -> dict[str, list[Any]]:
    """By address, the values that the newest runs of a workflow were given, the latest first, each once."""
    found: dict[str, list[Any]] = {}
    query = "SELECT overrides FROM job WHERE workflow = ? ORDER BY id DESC LIMIT ?"
    for (blob,) in _read(journal, query, workflow, _RUNS):
        with suppress(msgspec.MsgspecError):
            for address, value in msgspec.msgpack.decode(blob, type=dict[str, Any]).items():
                given = found.setdefault(address, [])
                if value not in given:
                    given.append(value)
    return found


def _read(journal: Path, query: str, *values: object) -> list[Any]:
    """The rows; none where anything is wrong with the file."""
    if not journal.is_file():
        return []
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{quote(str(journal))}?mode=ro", uri=True, timeout=_PATIENCE)) as db,
    ):
        return db.execute(query, values).fetchall()
    return []
