"""Where a workflow comes from: standard input, a literal, a built-in name or a file."""

import sys
from pathlib import Path
from typing import IO

from comfyd.errors import WorkflowFormat, WorkflowNotFound

from .document import Document
from .form import document
from .text import parse
from .wording import plain, shown

BUILT_IN = {"demo": Path(__file__).parent.parent / "demo" / "workflow.json"}
_LARGEST = 256 * 2**20


def load(source: str, stdin: IO[str] | None = None) -> Document:
    """The workflow that ``-``, ``{...}``, a built-in name or a path stands for.

    Raises WorkflowNotFound, WorkflowNotJson, WorkflowFormat or WorkflowInvalid.
    """
    if source == "-":
        return _read(_from_stdin(stdin or sys.stdin), "stdin", "Standard input")
    if source.lstrip().startswith("{"):
        return _read(source.encode("utf-8", "surrogatepass"), "literal", "The literal workflow")
    if not source:
        raise WorkflowNotFound(f"The workflow's name is empty; give a file or a built-in workflow ({', '.join(BUILT_IN)}).")
    path = BUILT_IN.get(source) or Path(source)
    return _read(_from_file(path), source if source in BUILT_IN else path.stem, plain(source))


def _read(data: bytes, name: str, called: str) -> Document:
    return document(parse(data, called), name, called)


def _from_stdin(stdin: IO[str]) -> bytes:
    raw = getattr(stdin, "buffer", None)
    data: bytes = raw.read(_LARGEST + 1) if raw is not None else stdin.read(_LARGEST + 1).encode("utf-8", "surrogatepass")
    return _bounded(data, "standard input")


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return _bounded(stream.read(_LARGEST + 1), str(path))
    except FileNotFoundError as error:
        raise WorkflowNotFound(_not_found(path)) from error
    except IsADirectoryError as error:
        inside = min(_json_files(path), default=None)
        fix = f"give a file in it, such as {shown(inside)}." if inside else "give a workflow file."
        raise WorkflowNotFound(f"{shown(str(path))} is a directory; {fix}") from error
    except (OSError, ValueError) as error:
        raise WorkflowNotFound(f"{shown(str(path))} cannot be read; check its name and permissions.", str(error)) from error


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > _LARGEST:
        raise WorkflowFormat(f"{shown(name)} is larger than {_LARGEST // 2**20} MiB and cannot be a workflow; give another file.")
    return data


def _not_found(path: Path) -> str:
    from .nearest import nearest

    found = nearest(str(path), [*BUILT_IN, *_json_files(path.parent)])
    fix = f"did you mean {shown(found)}?" if found else f"give a file or one of the built-in workflows ({', '.join(BUILT_IN)})."
    return f"There is no workflow {shown(str(path))}; {fix}"


def _json_files(directory: Path) -> list[str]:
    try:
        return [str(entry) for entry in directory.iterdir() if entry.suffix == ".json"]
    except (OSError, ValueError):
        return []
