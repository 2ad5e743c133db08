"""From an exception in a node to the error people read: one sentence, the fix inside."""

import errno
import traceback
from typing import Any

import comfy.model_management

from comfyd import errors
from comfyd.protocol import ErrorInfo

from .plain import text

_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_CORRUPT = ("SafetensorError", "UnpicklingError", "BadZipFile", "HeaderTooLarge", "InvalidHeader", "MetadataIncompleteBuffer")
_CORRUPT_TEXT = ("could not detect model type", "header", "corrupt", "truncated", "pytorchstreamreader", "incomplete metadata")


def describe(error: BaseException, node_id: str, node: dict[str, Any], files: dict[str, tuple[str, int, int]]) -> ErrorInfo:
    """The travelling form of what a node raised; ``files`` are the model files its inputs name."""
    where = text(f"node {node_id} ({title(node)})")
    detail = text("".join(traceback.format_exception(error))[-20000:])
    return _sentence(error, where, files, detail).info()


def title(node: dict[str, Any]) -> str:
    """A node's title as people know it, else its class."""
    return str((node.get("_meta") or {}).get("title") or node["class_type"])


def _sentence(error: BaseException, where: str, files: dict[str, tuple[str, int, int]], detail: str) -> errors.ComfydError:
    if is_out_of_memory(error):
        device = comfy.model_management.get_torch_device()
        return errors.OutOfMemory(
            f"{where} ran out of memory on {device}; use a smaller size or batch, or free some with `comfyd unload --all`.",
            detail,
        )
    if is_disk_full(error):
        file = getattr(error, "filename", None) or "its file"
        return errors.DiskFull(text(f"{where} could not write {file}: the disk is full; free some space."), detail)
    if isinstance(error, OSError) and error.errno in _DENIED and error.filename:
        fix = "correct its permissions or choose another place"
        return errors.NodeFailed(text(f"{where} may not use {error.filename} ({error.strerror}); {fix}."), detail)
    if files and is_corrupt(error):
        paths = [path for path, _, _ in files.values()]
        path = text(next((path for path in paths if path in _message(error)), " or ".join(paths)))
        return errors.CorruptModel(f"{where} cannot read {path} ({_first_line(error)}); download the file again.", detail)
    return errors.NodeFailed(
        f"{where} raised {type(error).__name__}: {_first_line(error)}; see `comfyd logs` for the trace.", detail
    )


def is_out_of_memory(error: BaseException) -> bool:
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, Exception) and bool(comfy.model_management.is_oom(error)))
        or "can't allocate memory" in _message(error)
    )


def is_disk_full(error: BaseException) -> bool:
    """Whether no space is left, also where safetensors says it in words only."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "No space left on device" in _message(error)


def is_corrupt(error: BaseException) -> bool:
    """Whether a loader's error says that its file is damaged rather than that the node is at fault."""
    said = _message(error).lower()
    # A zip file cut so short that torch seeks to before its start.
    too_short = isinstance(error, EOFError) or (isinstance(error, OSError) and error.errno == errno.EINVAL)
    return too_short or type(error).__name__ in _CORRUPT or any(mark in said for mark in _CORRUPT_TEXT)


def _first_line(error: BaseException) -> str:
    said = _message(error).strip()
    return said.splitlines()[0][:300].rstrip(".;") if said else "no message"


def _message(error: BaseException) -> str:
    """What the error says, if it can: a node's exception may fail in its own ``__str__``."""
    try:
        return text(str(error))
    except Exception:
        return ""
