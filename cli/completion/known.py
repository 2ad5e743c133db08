"""A Context from what lies on the disk: nothing is started and nobody asked, so that a key press waits for no daemon."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from comfyd import config
from comfyd.errors import ComfydError

from ..commands import SHELL
from ..spec import Command

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue, Document

    from .index import Index

_MOST = 1000
"""Entries of a directory that are looked at."""


class Known:
    """What files tell; each question is answered once and anew when its files have changed."""

    def __init__(
        self,
        paths: config.Paths,
        commands: Sequence[Command] = SHELL,
        *,
        workflow: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> None:
        self.commands = commands
        self.repl = workflow is not None
        self.values = values or {}
        self.workflow = workflow
        self._paths = paths
        self._indexes: dict[tuple[str, Path, int, int], Index | None] = {}
        self._building = Lock()

    def index(self, workflow: str | None) -> "Index | None":
        """The parameters of a workflow by the newest catalogue."""
        from comfyd.inuse import catalogue_in_use

        name = workflow or self.workflow
        file = catalogue_in_use(self._paths.cache)
        if not name or name == "-" or file is None:
            return None
        with suppress(OSError):
            key = (name, file, file.stat().st_mtime_ns, _changed(name, self._paths.workflows))
            with self._building:
                if key not in self._indexes:
                    self._indexes = {key: _index(name, file, self._paths.workflows)}
                return self._indexes[key]
        return None

    def built(self) -> "Index | None":
        """The REPL's own workflow's parameters if they are known by now; looks at no file."""
        return next((index for key, index in self._indexes.items() if key[0] == self.workflow), None)

    def workflows(self) -> Iterable[tuple[str, str]]:
        """Built-in and stored names."""
        from comfyd.workflow.sources.source import BUILT_IN

        return [*((name, "built in") for name in BUILT_IN), *((name, "stored") for name in self.stored())]

    def stored(self) -> Iterable[str]:
        """Stored names."""
        from comfyd.workflow.sources.store import Store

        return Store(self._paths.workflows).names()

    def recent(self, index: "Index", address: str) -> Iterable[object]:
        """Values of the newest runs, by the journal."""
        from .past import values

        return values(self._paths.journal, index.workflow).get(address, [])

    def jobs(self) -> Iterable[tuple[int, str]]:
        """Jobs that have not ended, by the journal."""
        from .past import unfinished

        return unfinished(self._paths.journal)

    def residents(self) -> Iterable[str]:
        """None: what is resident only the daemon knows."""
        return []

    def paths(self, typed: str, suffixes: tuple[str, ...] = ()) -> Iterable[str]:
        """Files and directories that go on with what was typed."""
        folder, slash, _ = typed.rpartition("/")
        where = Path(folder + slash).expanduser() if slash else Path()
        hidden = typed.rpartition("/")[2].startswith(".")
        try:
            with os.scandir(where) as entries:
                found = [(entry.name, entry.is_dir()) for entry, _ in zip(entries, range(_MOST), strict=False)]
        except (OSError, ValueError):
            return []
        return [
            f"{folder}{slash}{name}{'/' if is_folder else ''}"
            for name, is_folder in sorted(found)
            if name.startswith(".") == hidden and (is_folder or not suffixes or name.lower().endswith(suffixes))
        ]


def _changed(workflow: str, store: Path) -> int:
    """When the workflow's file, and the names its user gave to its parameters, were changed."""
    found = 0
    for file in (Path(workflow), *(store / workflow / name for name in ("workflow.json", "about.json"))):
        with suppress(OSError, ValueError):
            found = max(found, file.stat().st_mtime_ns)
    return found


def _index(workflow: str, catalogue: Path, store: Path) -> "Index | None":
    from comfyd.workflow import Catalogue, load

    try:
        return index(load(workflow, store=store), Catalogue.read(catalogue))
    except ComfydError:
        return None


def index(given: "Document", known: "Catalogue") -> "Index":
    """The parameters of a workflow; raises Refused where it is none of this catalogue's."""
    from comfyd.workflow import prepare

    from .index import Index

    return Index(prepare(given.api, given.ui, known), known, given.aliases, given.name)
