"""The identity of model files that a node's input names, so that a changed file is loaded again."""

import time
from pathlib import Path

import folder_paths

_REMEMBERED = 1.0  # seconds; looking through every model folder for each loader of each run would cost more than a cached run
_KNOWN: dict[str, tuple[float, list[Path]]] = {}

Mark = tuple[str, int, int]
"""(path, size, modification time in ns)"""


def names_model_file(value: str) -> bool:
    """Whether the value could be a model file's name: it ends in one of the engine's model extensions."""
    if len(value) >= 1024 or "." not in value:
        return False
    suffix = Path(value).suffix.lower()
    return suffix == ".gguf" or suffix in folder_paths.supported_pt_extensions


def fingerprint(value: str) -> Mark | None:
    """The mark of the first model file of that name, or None where the value names none."""
    return next(iter(fingerprints(value)), None)


def fingerprints(value: str) -> list[Mark]:
    """The marks of all model files of that name: which folder a node means is not known, and names recur among folders."""
    return [found for path in _paths(value) if (found := mark(path))] if names_model_file(value) else []


def model_files(node: dict[str, object]) -> dict[str, Mark]:
    """The model files that a node's inputs name, by name."""
    inputs = node["inputs"]
    values = (value for value in inputs.values() if isinstance(value, str)) if isinstance(inputs, dict) else ()
    return {value: found for value in values if (found := fingerprint(value))}


def mark(path: Path) -> Mark | None:
    """The file's identity; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return str(path), status.st_size, status.st_mtime_ns


def _paths(value: str) -> list[Path]:
    until, paths = _KNOWN.get(value, (0.0, []))
    if time.monotonic() < until:
        return paths
    found = (folder_paths.get_full_path(folder, value) for folder in list(folder_paths.folder_names_and_paths))
    paths = [Path(path) for path in dict.fromkeys(found) if path]
    _KNOWN[value] = (time.monotonic() + _REMEMBERED, paths)
    return paths
