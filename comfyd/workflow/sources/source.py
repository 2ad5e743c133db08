"""Where a workflow comes from: standard input, a literal, a name, or a file, which may be JSON or media."""

import io
import os
import stat
import sys
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from comfyd.errors import WorkflowFormat, WorkflowNotFound
from comfyd.workflow.document import Document
from comfyd.workflow.form import document
from comfyd.workflow.wording import listed, plain, shown

from .text import parse

BUILT_IN = {"demo": Path(__file__).parents[2] / "demo" / "workflow.json"}
_LARGEST, _LARGEST_JSON = 256 * 2**20, 64 * 2**20
_HEAD = 64  # bytes that tell what kind of file it is
_STREAMS = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


def load(source: str, stdin: IO[str] | None = None, store: Path | None = None) -> Document:
    """The workflow that ``-``, ``{...}``, a path, a stored or a built-in name stands for.

    What has a separator or a suffix and is there is a file; else stored names come before built-in ones, and these
    before files. ``store`` is the directory of the stored ones, if not the user's.
    Raises WorkflowNotFound, WorkflowNotJson, WorkflowFormat, NoWorkflow or WorkflowInvalid.
    """
    if source == "-":
        return _from_stream(_binary(stdin or sys.stdin), "stdin", "Standard input")
    if source.lstrip().startswith("{"):
        return _from_json(source.encode("utf-8", "surrogatepass"), "literal", "The literal workflow")
    if not source:
        raise WorkflowNotFound(f"The workflow's name is empty; give a file or a built-in workflow ({', '.join(BUILT_IN)}).")
    if source.startswith(("http://", "https://")):
        raise WorkflowNotFound(f"{shown(source)} is an address on the web; download the file and give its path.")
    path = Path(source)
    if os.sep in source or (path.suffix and _is_file(path)):
        return from_path(_at_home(path), path.stem, store)
    return _named(source, path, store or _store())


def _named(name: str, path: Path, store: Path) -> Document:
    """A stored or built-in workflow, or a file without a suffix."""
    other = f"; the file of that name is {shown(f'.{os.sep}{name}')}." if _is_file(path) else ""
    if _is_file(store / name / "workflow.json"):
        from .store import Store

        return msgspec.structs.replace(
            Store(store).load(name), note=f"{plain(name)} is the stored workflow{other}" if other else ""
        )
    if name in BUILT_IN:
        found = from_path(BUILT_IN[name], name)
        return msgspec.structs.replace(found, note=f"{plain(name)} is the built-in workflow{other}") if other else found
    return from_path(path, path.stem, store)


def _store() -> Path:
    from comfyd.config import paths

    return paths().workflows


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _at_home(path: Path) -> Path:
    """The path with the ``~`` that no shell has replaced."""
    try:
        return path.expanduser()
    except RuntimeError:  # nobody has that name
        return path


def _from_json(data: bytes, name: str, called: str) -> Document:
    return document(parse(data, called), name, called)


def from_path(path: Path, name: str, store: Path | None = None) -> Document:
    """The workflow in a file, called this; where there is none, names in the store are near misses too."""
    called = plain(str(path))
    try:
        require_file(path)
        with path.open("rb") as stream:
            return _from_file(stream, name, called) if stream.seekable() else _from_stream(stream, name, called)
    except FileNotFoundError as error:
        raise WorkflowNotFound(_not_found(path, store)) from error
    except IsADirectoryError as error:
        inside = min(_json_files(path), default=None)
        fix = f"give a file in it, such as {shown(inside)}." if inside else "give a workflow file."
        raise WorkflowNotFound(f"{shown(str(path))} is a directory; {fix}") from error
    except (OSError, ValueError) as error:
        raise WorkflowNotFound(f"{shown(str(path))} cannot be read; check its name and permissions.", str(error)) from error


def require_file(path: Path) -> None:
    """Raises WorkflowNotFound for what would block or never end: devices, and pipes other than a shell's ``<(...)``."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or str(path).startswith(_STREAMS):
        return
    kind = "a named pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
    raise WorkflowNotFound(f"{shown(str(path))} is {kind} and no file; to read a stream, redirect it and give - as the workflow.")


def _from_stream(stream: BinaryIO, name: str, called: str) -> Document:
    """All of what can be read only once."""
    data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _too_large(called, _LARGEST)
    return _from_file(io.BytesIO(data), name, called)


def _from_file(stream: BinaryIO, name: str, called: str) -> Document:
    """JSON is read whole, media only where their texts are."""
    head = stream.read(_HEAD)
    if not (head[:1] in (b"{", b"[") and b"\0" not in head):
        from .media.kinds import reader_of

        reader = reader_of(head)
        if reader is not None:
            from .media import inside

            return inside.document(stream, reader, name, called)
    stream.seek(0)
    data = stream.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        raise _too_large(called, _LARGEST_JSON)
    return _from_json(data, name, called)


def _binary(stdin: IO[str]) -> BinaryIO:
    raw: BinaryIO | None = getattr(stdin, "buffer", None)
    return raw if raw is not None else io.BytesIO(stdin.read(_LARGEST + 1).encode("utf-8", "surrogatepass"))


def _too_large(called: str, limit: int) -> WorkflowFormat:
    """The refusal of what is longer than any workflow."""
    return WorkflowFormat(f"{called} is larger than {limit // 2**20} MiB and cannot be a workflow; give another file.")


def _not_found(path: Path, store: Path | None) -> str:
    from comfyd.workflow.nearest import nearest

    from .store import Store

    names = [*BUILT_IN, *Store(store or _store()).names()]
    found = nearest(str(path), [*names, *_json_files(path.parent)])
    fix = f"did you mean {shown(found)}?" if found else f"give a file or the name of a stored workflow ({listed(names)})."
    return f"There is no workflow {shown(str(path))}; {fix}"


def _json_files(directory: Path) -> list[str]:
    try:
        return [str(entry) for entry in directory.iterdir() if entry.suffix == ".json"]
    except (OSError, ValueError):
        return []
