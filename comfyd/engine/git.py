"""Fetches ComfyUI from a git repository: one commit, named by branch, tag or hash after an @."""

import re
from pathlib import Path

from comfyd.errors import EngineInstallFailed

from . import command
from .progress import Progress

_SOURCE = re.compile(r"(?:git\+)?(?P<host>\w+://[^/]*|[^/:]+:|)(?P<path>[^@]+)(?:@(?P<ref>[^@]+))?")
_PERCENT = re.compile(r"(\w[\w ]+):\s+(\d+)%")
_SILENT = {"GIT_TERMINAL_PROMPT": "0"}  # nobody is there to type a password


def split_source(source: str) -> tuple[str, str]:
    """URL and ref of "https://host/name.git@v0.30.0"; HEAD without an @ in the path (one before it names the user)."""
    found = _SOURCE.fullmatch(source)
    if found is None or source.startswith("-"):
        raise EngineInstallFailed(f"{source!r} is no git URL; give one like https://HOST/ComfyUI.git@v0.30.0.")
    url = found["host"] + found["path"] if found["host"] else str(Path(found["path"]).expanduser().absolute())
    return url, found["ref"] or "HEAD"


def clone(source: str, tree: Path, progress: Progress) -> str:
    """Check out the source into the new directory ``tree`` and return its commit; raises EngineInstallFailed."""
    url, ref = split_source(source)
    tree.mkdir()
    _git(["init", "--quiet"], tree, source, progress)
    _git(["fetch", "--progress", "--depth", "1", "--", url, ref], tree, source, progress)
    _git(["checkout", "--quiet", "--detach", "FETCH_HEAD"], tree, source, progress)
    return _git(["rev-parse", "HEAD"], tree, source, progress).strip()


def _git(arguments: list[str], tree: Path, source: str, progress: Progress) -> str:
    def heard(line: str) -> None:
        if found := _PERCENT.search(line):
            progress(f"Cloning ComfyUI: {found[1].lower()}", int(found[2]) / 100)

    try:
        outcome = command.run(["git", *arguments], tree, heard, _SILENT)
    except FileNotFoundError as error:
        raise EngineInstallFailed(
            "git is not installed; install it, or run `comfyd engine install` without a URL to use the package index."
        ) from error
    if outcome.status:
        lines = [line for line in outcome.tail.splitlines() if line.startswith(("fatal:", "error:"))] or ["git failed"]
        raise EngineInstallFailed(
            f"{source} could not be cloned ({lines[0]}); check the URL, what stands after its @, and the network.", outcome.tail
        )
    return outcome.tail
