"""Reads and writes the safetensors container by hand: a length, a JSON header, the tensors' bytes."""

import errno
import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from comfyd.errors import DiskFull
from comfyd.whole import publish

from .text_encoder import Part

DTYPES = {"F16": np.float16, "F32": np.float32, "I8": np.int8}


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """The header and where the tensors begin; OSError or ValueError when the file is not such a container."""
    with path.open("rb") as file:
        prefix = file.read(8)
        if len(prefix) != 8 or (length := struct.unpack("<Q", prefix)[0]) > 10**8:
            raise ValueError(f"{path} is not a safetensors file")
        return json.loads(file.read(length)), 8 + length


def read(path: Path) -> dict[str, Any]:
    """Every tensor by name, as an array on the file's bytes."""
    header, start = read_header(path)
    data = np.memmap(path, np.uint8, "r", start)
    return {
        name: data[slice(*entry["data_offsets"])].view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _header(parts: Sequence[Part], metadata: dict[str, str]) -> tuple[bytes, list[int]]:
    """The encoded header and each tensor's offset from its end; all are half precision."""
    entries: dict[str, Any] = {"__metadata__": metadata}
    offsets = [0]
    for name, shape, _ in parts:
        offsets.append(offsets[-1] + 2 * int(np.prod(shape)))
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": offsets[-2:]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, offsets


def _fill(file: int, parts: Sequence[Part], metadata: dict[str, str]) -> None:
    """Zero tensors are left as holes, which read as zeros and take no space where the file system can."""
    header, offsets = _header(parts, metadata)
    os.truncate(file, len(header) + offsets[-1])
    _write(file, memoryview(header), 0)
    for (_, _, values), offset in zip(parts, offsets, strict=False):
        if values is not None:
            _write(file, memoryview(np.ascontiguousarray(values).reshape(-1)).cast("B"), len(header) + offset)


def _write(file: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written


def write(path: Path, parts: Sequence[Part], metadata: dict[str, str]) -> None:
    """Puts the file in place at once or not at all; DiskFull when there is no room for it."""
    try:
        publish(path, lambda file: _fill(file.fileno(), parts, metadata), 0o644, lasting=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no space is left in {path.parent} for the demo model: free 130 MB there, then run again.") from error
        raise
