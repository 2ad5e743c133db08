"""Files of the user's for image, mask, audio and video inputs: copied into the engine's input folder, named by content."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from comfyd.errors import ComfydError, FileNotUsable, Refused, Unavailable
from comfyd.protocol import StatusReply, StatusRequest, WaitReady
from comfyd.workflow.wording import shown

from .terminal import Terminal

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue, Document
    from comfyd.workflow.address import Names

Overrides = list[tuple[str, str]]

_PATHS = ("./", "../", "/", "~")
_LONGEST = 60
_MEDIA = (
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".jxl", ".exr", ".hdr", ".svg"),
    *(".mp4", ".m4v", ".webm", ".mkv", ".mov", ".avi", ".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac"),
    *(".glb", ".gltf", ".obj", ".fbx", ".stl", ".ply", ".splat", ".spz", ".ksplat", ".usdz"),
)
"""What the engine lists in its input folder goes by the endings of names."""


def name_files(values: Iterable[str]) -> bool:
    """Whether any of these may be a local file; all that a command without one pays."""
    return any(value.startswith(_PATHS) or ("." in value and _exists(value)) for value in values)


def uploaded(
    terminal: Terminal,
    given: "Document",
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]],
    *,
    start: bool,
    quiet: bool = False,
) -> tuple[list[str], Overrides]:
    """Words and overrides with local files replaced by names in the engine's input folder; raises FileNotUsable."""
    if not name_files([*words, *(value for _, value in overrides)]):
        return list(words), list(overrides)
    from .catalogue import catalogue

    known = catalogue(terminal, start=start)
    try:
        pairs, files = _files(given, known, words, overrides)
    except Refused:
        return list(words), list(overrides)  # the daemon, whose catalogue is the newest, says what is wrong
    if not files:
        return list(words), list(overrides)
    folder = _input_folder(terminal, start=start)
    names = {path: _copied(Path(path).expanduser(), folder, terminal, quiet=quiet) for path in dict.fromkeys(files.values())}
    return [], [(name, names[files[at]] if at in files else value) for at, (name, value) in enumerate(pairs)]


def _files(
    given: "Document", known: "Catalogue", words: Sequence[str], overrides: Sequence[tuple[str, str]]
) -> tuple[Overrides, dict[int, str]]:
    """All pairs, and the paths among their values by position."""
    from comfyd.workflow import prepare
    from comfyd.workflow.address import Names
    from comfyd.workflow.copying import own_copy
    from comfyd.workflow.wiring import Wiring
    from comfyd.workflow.words import overrides as paired

    names = Names(Wiring(own_copy(prepare(given.api, given.ui, known)), known), given.aliases)
    pairs = [*overrides, *paired(words, names)]
    return pairs, {at: value for at, (name, value) in enumerate(pairs) if _is_file(names, name, value)}


def _is_file(names: "Names", name: str, value: str) -> bool:
    """Whether the value is a path for an input that takes files, and no name that the engine knows."""
    spec = None
    with suppress(ComfydError):
        spec = names.input(names.find(name)[0])
    if spec is None or not spec.uploads or spec.choices is None:
        return False
    return value.startswith(_PATHS) or (value not in spec.choices and _exists(value))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long for a name, or with characters that none has
        return False


def _input_folder(terminal: Terminal, *, start: bool) -> Path:
    """The input folder of the engine, which is waited for where it has not told yet."""
    from .connection import connected
    from .display import display_for

    with connected(terminal, start=start) as client:
        status = client.call(StatusRequest())
        if not (isinstance(status, StatusReply) and status.engine.input_dir):
            display = display_for(terminal)
            try:
                for message in client.stream(WaitReady()):
                    display.show(message)
                    status = message
            finally:
                display.close()
    if not (isinstance(status, StatusReply) and status.engine.input_dir):
        raise Unavailable("The engine does not tell its input folder; comfyd restart starts one that does.")
    return Path(status.engine.input_dir)


def _copied(path: Path, folder: Path, terminal: Terminal, *, quiet: bool) -> str:
    """The name under which the file is in the folder; a file that is in there already keeps its own."""
    digest = _digest(path)
    with suppress(ValueError):
        return path.resolve().relative_to(folder.resolve()).as_posix()
    name = f"{_clean(path.stem)}-{digest}{_clean(path.suffix)}"
    target = folder / name
    if not target.exists():
        _copy(path, target)
        if not quiet:
            terminal.note(f"{shown(str(path))} was copied to the engine's input folder as {name}")
    elif not quiet:
        terminal.note(f"{shown(str(path))} is in the engine's input folder as {name}")
    return name


def _digest(path: Path) -> str:
    """A short hash of the file's content; raises FileNotUsable."""
    import hashlib

    if path.is_dir():
        raise FileNotUsable(f"{shown(str(path))} is a directory; give a file in it.")
    if path.exists() and not path.is_file():
        raise FileNotUsable(f"{shown(str(path))} is no regular file; give one.")
    if path.exists() and not path.name.lower().endswith(_MEDIA):
        raise FileNotUsable(
            f"{shown(str(path))} is no picture, sound, video or 3D model by its name; give one with such an ending."
        )
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:12]
    except FileNotFoundError as error:
        raise FileNotUsable(f"There is no file {shown(str(path))}; check its name.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileNotUsable(f"{shown(str(path))} cannot be read ({reason}); check its permissions.") from error


def _copy(path: Path, target: Path) -> None:
    """Put the copy in place at once and whole, whoever else does the same."""
    import shutil

    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        reason = f"cannot be copied into the engine's input folder {target.parent} ({error.strerror})"
        raise FileNotUsable(f"{shown(str(path))} {reason}; see to its permissions and space.") from error


def _clean(name: str) -> str:
    """A name that neither the engine's ``name [folder]`` form nor a file system takes for something else."""
    import re

    return re.sub(r"[^\w. -]", "_", name)[:_LONGEST].strip(" ")
