"""The journal's tables, and the steps from each version of them to the next."""

import sqlite3
from pathlib import Path

STEPS = (
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
    "ALTER TABLE job ADD COLUMN sweep TEXT NOT NULL DEFAULT '';",
)
"""Step n takes the schema from version n to n + 1; the version is SQLite's user_version."""


def migrate(db: sqlite3.Connection, file: Path) -> None:
    """Bring the tables to the present version, each step whole or not at all; raises sqlite3.Error for a newer file."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(STEPS):
        raise sqlite3.NotSupportedError(f"{file} was written by a newer comfyd (schema {version}, this one knows {len(STEPS)})")
    for number, step in enumerate(STEPS[version:], version + 1):
        db.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")
