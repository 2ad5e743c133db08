"""Every figure of a run, written down as soon as it is known: a run that is cut short keeps what it has measured."""

import json
import sys
from pathlib import Path
from typing import Any


class Ledger:
    """Rows of JSON in a file, each with its ``kind``, in the order in which they were measured."""

    def __init__(self, file: Path | None = None, rows: list[dict[str, Any]] | None = None) -> None:
        self.rows = rows or []
        self._file = file

    @classmethod
    def read(cls, *files: Path) -> "Ledger":
        return cls(rows=[json.loads(line) for file in files for line in file.read_text().splitlines()])

    def add(self, kind: str, **row: Any) -> None:
        """Writes a row down, and says so on stderr."""
        line = json.dumps({"kind": kind} | row)
        self.rows.append(json.loads(line))
        print(line if len(line) < 200 else line[:200] + " …", file=sys.stderr, flush=True)
        if self._file is not None:
            with self._file.open("a") as stream:
                stream.write(line + "\n")

    def of(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """The rows of a kind that have these values."""
        return [row for row in self.rows if row["kind"] == kind and all(row.get(k) == v for k, v in wanted.items())]

    def times(self, work: str, what: str, side: str) -> list[float]:
        """The milliseconds measured of one thing on one side."""
        return [ms for row in self.of("times", work=work, what=what, side=side) for ms in row["ms"]]
