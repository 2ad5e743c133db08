"""Named workflows: a directory for each, with the workflow as JSON and what is known about it beside.

A directory appears and disappears whole; a file in it is replaced whole. So whoever reads sees a workflow or none.
"""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from comfyd.errors import InvalidName, StoreUnavailable, WorkflowInvalid, WorkflowNotFound
from comfyd.whole import publish
from comfyd.workflow.document import Document
from comfyd.workflow.wording import listed, plain, shown

DOCUMENT, ABOUT = "workflow.json", "about.json"
_NAME = re.compile(r"[^\W_][\w.+-]*")
_LONGEST = 80
_SUFFIXES = (".json", ".png", ".webp", ".jpg", ".jpeg", ".avif", ".mp4", ".mov", ".webm", ".mkv", ".mp3", ".flac", ".latent")


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a stored workflow beside the workflow itself."""

    origin: str = ""
    """The path it was added from, or ``stdin``."""
    added: float = 0.0
    aliases: dict[str, str] = {}
    """Names its user gave to parameters: address by name."""


class Store:
    """The workflows in one directory, which need not exist."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> list[str]:
        """All names, sorted."""
        try:
            found = [entry.name for entry in self._directory.iterdir() if (entry / DOCUMENT).is_file()]
        except OSError:
            return []
        return sorted(name for name in found if _NAME.fullmatch(name))

    def path(self, name: str) -> Path:
        """The file with the workflow; raises WorkflowNotFound."""
        path = self._directory / name / DOCUMENT
        if not _NAME.fullmatch(name) or not path.is_file():
            raise WorkflowNotFound(self._unknown(name))
        return path

    def about(self, name: str) -> About:
        """Raises WorkflowNotFound, or WorkflowInvalid where somebody has damaged the file."""
        path = self.path(name).with_name(ABOUT)
        try:
            return msgspec.json.decode(path.read_bytes(), type=About)
        except FileNotFoundError:
            return About()
        except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
            raise WorkflowInvalid(f"{plain(str(path))} cannot be read ({plain(str(error))}); correct it or remove it.") from error

    def load(self, name: str) -> Document:
        """The workflow with its aliases."""
        from .source import from_path

        return msgspec.structs.replace(from_path(self.path(name), name), aliases=self.about(name).aliases)

    def add(self, name: str, document: Document, origin: str, *, replace: bool = False) -> Path:
        """Keep a workflow under a name; one that is replaced leaves its aliases. Raises InvalidName or StoreUnavailable."""
        require_name(name)
        about = About(origin=origin, added=time.time(), aliases=document.aliases)
        target = self._directory / name
        with _explained(self._directory):
            if replace and target.exists():
                about = msgspec.structs.replace(about, aliases=self.about(name).aliases | about.aliases)
                _write(target / DOCUMENT, _bundle(document))
                _write(target / ABOUT, msgspec.json.encode(about))
                return target / DOCUMENT
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._directory))
            try:
                _write(new / DOCUMENT, _bundle(document))
                _write(new / ABOUT, msgspec.json.encode(about))
                self._appear(new, target, name)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        return target / DOCUMENT

    def _appear(self, new: Path, target: Path, name: str) -> None:
        """A rename onto a directory that is not empty fails, whoever came first."""
        try:
            new.rename(target)
        except OSError as error:
            if not target.exists():
                raise
            raise InvalidName(f"There is a workflow {shown(name)} already; give another name, or --replace.") from error

    def remove(self, name: str) -> None:
        """Forget a workflow; raises WorkflowNotFound or StoreUnavailable."""
        directory = self.path(name).parent
        with _explained(self._directory):
            gone = Path(tempfile.mkdtemp(prefix=".gone-", dir=self._directory))
            try:
                directory.rename(gone / name)
            finally:
                shutil.rmtree(gone, ignore_errors=True)

    def set_aliases(self, name: str, aliases: dict[str, str]) -> None:
        """Replace the user's names of this workflow's parameters."""
        about = msgspec.structs.replace(self.about(name), aliases=aliases)
        with _explained(self._directory):
            _write(self.path(name).with_name(ABOUT), msgspec.json.encode(about))

    def _unknown(self, name: str) -> str:
        from comfyd.workflow.nearest import nearest

        names = self.names()
        if not names:
            return f"There is no workflow {shown(name)}: none is stored yet; comfyd workflow add FILE {plain(name)} stores one."
        found = nearest(name, names)
        fix = f"did you mean {shown(found)}?" if found else f"there are {listed(names)}."
        return f"There is no workflow {shown(name)}; {fix}"


def require_name(name: str) -> None:
    """Raises InvalidName for what could be taken for a path, a file or an option, or shown on no terminal."""
    from .source import BUILT_IN

    fix = "use letters, digits and -, _, + or . between them, such as portrait-2."
    if name in BUILT_IN:
        raise InvalidName(f"{shown(name)} is built in; give another name.")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or len(name.encode("utf-8", "replace")) > 2 * _LONGEST:
        raise InvalidName(f"{shown(name)} cannot be the name of a workflow; {fix}")
    if name.lower().endswith(_SUFFIXES):
        raise InvalidName(f"{shown(name)} would look like a file; leave out {shown(Path(name).suffix)}.")


def name_from(stem: str) -> str:
    """The name that a file's stem suggests: ``my flow (2)`` -> ``my-flow-2``."""
    return re.sub(r"[^\w.+]+", "-", stem).strip("-._+")[:_LONGEST]


def _bundle(document: Document) -> bytes:
    """The one form there is as ComfyUI writes it, or both as the body of a request has them."""
    forms: dict[str, Any] = {"prompt": document.api, "workflow": document.ui}
    given = [form for form in forms.values() if form is not None]
    return json.dumps(forms if len(given) > 1 else given[0], indent=2, ensure_ascii=False).encode()


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    """A full or read-only disk in one sentence."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"Workflows cannot be kept in {plain(str(directory))} ({error.strerror}); make it writable."
        ) from error


def _write(path: Path, data: bytes) -> None:
    publish(path, lambda stream: stream.write(data), 0o600, lasting=True)
