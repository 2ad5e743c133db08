"""Unpacks one directory of a source distribution, and nothing that could land elsewhere."""

import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from comfyd.errors import EngineInstallFailed

from .progress import Progress


def unpack(archive: Path, inside: PurePosixPath, into: Path, progress: Progress) -> None:
    """Write the regular files below ``inside`` to the new directory ``into``; raises EngineInstallFailed, OSError."""
    size = archive.stat().st_size
    into.mkdir()
    try:
        with archive.open("rb") as stream, tarfile.open(fileobj=stream, mode="r|gz") as tar:
            for member in tar:
                if target := destination(member, inside):
                    _write(tar, member, into / target)
                    progress("Unpacking ComfyUI", stream.tell() / size)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise EngineInstallFailed(f"The archive {archive.name} is damaged ({error}); run the installation again.") from error


def destination(member: tarfile.TarInfo, inside: PurePosixPath) -> PurePosixPath | None:
    """Where a member goes, relative to ``inside``; None for what is not unpacked; EngineInstallFailed for what is unsafe."""
    name = PurePosixPath(member.name)
    if not name.is_relative_to(inside):
        return None
    if ".." in name.parts or not (member.isreg() or member.isdir()):
        raise EngineInstallFailed(f"The archive holds {member.name}, no plain file below {inside}; nothing was installed.")
    return name.relative_to(inside) if member.isreg() else None


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file)
