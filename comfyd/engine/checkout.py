"""What counts as a ComfyUI checkout, which version it is, and whether that one was tried; reads text and imports none of it."""

import re
from pathlib import Path

SUPPORTED_FROM = (0, 30)
SUPPORTED_BELOW = (0, 31)

_FILES = ("main.py", "nodes.py", "execution.py", "comfyui_version.py")
_VERSION = re.compile(r"""^__version__\s*=\s*["']([^"']+)["']""", re.MULTILINE)


def is_comfyui(directory: Path) -> bool:
    """Whether the directory holds ComfyUI's own entry points."""
    return not missing_files(directory)


def missing_files(directory: Path) -> list[str]:
    """Those of ComfyUI's entry points that the directory does not have."""
    return [name for name in _FILES if not (directory / name).is_file()]


def read_version(directory: Path) -> str:
    """The version that comfyui_version.py states, or "" where it states none."""
    try:
        text = (directory / "comfyui_version.py").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = _VERSION.search(text)
    return found.group(1) if found else ""


def is_supported(version: str) -> bool:
    """Whether comfyd was tried with this version."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return SUPPORTED_FROM <= numbers < SUPPORTED_BELOW


def support_notice(version: str) -> str:
    """A sentence about a version that was not tried, or ""."""
    if is_supported(version):
        return ""
    tried = ".".join(map(str, SUPPORTED_FROM))
    advice = "if something fails, `comfyd engine install` brings one that was."
    return f"ComfyUI {version or 'of an unknown version'} was not tried with this comfyd ({tried}.x was); {advice}"
