"""What a node catalogue was made of, and whether that is still so; files are looked at, none is read, nothing is imported.

The worker writes it into the catalogue's file. While it holds, the catalogue can be used before a worker is ready, and a worker
need not import what the catalogue already tells about.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from .protocol import PackInfo

_NO_CODE = frozenset({"__pycache__", "node_modules", "venv"})
_NOT_THE_ENGINE_S = frozenset({"custom_nodes", "input", "models", "output", "temp", "tests", "tests-unit", "user", "web"})
_SUFFIXES = (".py", ".yaml")


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a catalogue depends on. Trees are stamped by the names, sizes and times of their code."""

    interpreter: str = ""
    """The interpreter's path and version."""
    arguments: list[str] = []
    """ComfyUI's arguments."""
    engine: dict[str, str] = {}
    """Stamp of ComfyUI's own code by its root."""
    packages: dict[str, int] = {}
    """Modification time of the interpreter's package directories, which every installation changes."""
    packs: dict[str, str] = {}
    """Stamp of the node packs by the directory that holds them."""
    folders: dict[str, int] = {}
    """Modification time of the folders whose files are choices; 0: not there."""
    modules: list[str] = []
    """Modules that were imported without trouble and may wait in the next worker."""
    eager: list[str] = []
    """Node modules that do more at their import than to define classes."""
    patching: bool = True
    """Whether node packs change modules of the engine when they are imported."""
    report: list[PackInfo] = []
    """How the import of each pack went."""

    def same_engine(self, other: "Provenance") -> bool:
        """Whether what the engine itself is made of is the same."""
        mine = (self.interpreter, self.arguments, self.engine, self.packages)
        return mine == (other.interpreter, other.arguments, other.engine, other.packages)


def file(cache: Path, comfyui: str, python: str | None, arguments: Iterable[str]) -> Path:
    """Where the catalogue of this engine with these settings is kept."""
    digest = hashlib.sha256(json.dumps([comfyui, python or "", *arguments]).encode()).hexdigest()
    return cache / f"catalogue-{digest[:16]}.json"


def holds(made: Provenance) -> bool:
    """Whether engine, packages and node packs are still as they were."""
    return (
        all(engine_stamp(root) == there for root, there in made.engine.items())
        and times(made.packages) == made.packages
        and all(stamp(root) == there for root, there in made.packs.items())
    )


def times(folders: Iterable[str]) -> dict[str, int]:
    """Modification times in ns, 0 where there is no such folder."""
    return {folder: _time(folder) for folder in folders}


def _time(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def engine_stamp(root: str) -> str:
    """A stamp of ComfyUI's own code, or of a file beside it."""
    return stamp(root, _NOT_THE_ENGINE_S) if Path(root).is_dir() else str(_time(root))


def stamp(root: str, without: frozenset[str] = frozenset()) -> str:
    """A digest of the names, sizes and modification times of a tree's code, ``without`` some folders at its top."""
    digest = hashlib.sha256()
    for name, size, time in sorted(_code(root, "", without)):
        digest.update(f"{name}\0{size}\0{time}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _code(folder: str, prefix: str, without: frozenset[str]) -> Iterator[tuple[str, int, int]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        with contextlib.suppress(OSError):
            if entry.name.endswith(_SUFFIXES):
                status = entry.stat()
                yield prefix + entry.name, status.st_size, status.st_mtime_ns
            elif entry.name[0] != "." and entry.name not in without | _NO_CODE and entry.is_dir():
                yield from _code(entry.path, f"{prefix}{entry.name}/", frozenset())
