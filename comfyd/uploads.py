"""A file of the user's in the engine's input folder, under a name that its content gives it."""

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from .errors import FileNotUsable
from .whole import copy
from .workflow.wording import shown

_MEDIA = (
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".jxl", ".exr", ".hdr", ".svg"),
    *(".mp4", ".m4v", ".webm", ".mkv", ".mov", ".avi", ".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac"),
    *(".glb", ".gltf", ".obj", ".fbx", ".stl", ".ply", ".splat", ".spz", ".ksplat", ".usdz"),
)
"""What the engine lists in its input folder goes by the endings of names."""
_LONGEST = 60


def put(path: Path, folder: Path) -> tuple[str, str]:
    """The name of the file in the folder, and what was done for it; raises FileNotUsable.

    A file that is in there already keeps its own name, and nothing is done.
    """
    digest = _digest(path)
    with suppress(ValueError):
        return path.resolve().relative_to(folder.resolve()).as_posix(), ""
    name = f"{_clean(path.stem)}-{digest}{_clean(path.suffix)}"
    target = folder / name
    if target.exists():
        return name, "is in the engine's input folder"
    _copy(path, target)
    return name, "was copied to the engine's input folder"


def _digest(path: Path) -> str:
    """A short hash of the file's content; raises FileNotUsable."""
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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        copy(path, target)
    except OSError as error:
        reason = f"cannot be copied into the engine's input folder {target.parent} ({error.strerror})"
        raise FileNotUsable(f"{shown(str(path))} {reason}; see to its permissions and space.") from error


def _clean(name: str) -> str:
    """A name that neither the engine's ``name [folder]`` form nor a file system takes for something else."""
    return re.sub(r"[^\w. -]", "_", name)[:_LONGEST].strip(" ")
