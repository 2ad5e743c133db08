"""The identity of model files that a node's input names, so that a changed file is loaded again."""

from pathlib import Path

import folder_paths

_KNOWN: dict[str, Path] = {}


def names_model_file(value: str) -> bool:
    """Whether the value could be a model file's name: it ends in one of the engine's model extensions."""
    return len(value) < 1024 and Path(value).suffix.lower() in folder_paths.supported_pt_extensions | {".gguf"}


def fingerprint(value: str) -> tuple[str, int, int] | None:
    """(path, size, modification time in ns) of the model file of that name, or None where the value names none."""
    if not names_model_file(value):
        return None
    path = _KNOWN.get(value) or _find(value)
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        _KNOWN.pop(value, None)
        return None
    return str(path), status.st_size, status.st_mtime_ns


def _find(value: str) -> Path | None:
    for folder in folder_paths.folder_names_and_paths:
        if found := folder_paths.get_full_path(folder, value):
            return _KNOWN.setdefault(value, Path(found))
    return None
