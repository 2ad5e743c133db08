"""A small mapped file that always names the node that executes, or the pack that is imported, so that a crash has its cause.

What was written stays readable after any death of the process, because the page belongs to the file.
"""

import json
import mmap
from pathlib import Path

from comfyd.protocol import BLACKBOX_SIZE

_TEXT = 100  # characters of a name; escaped they take up to twelve bytes each


class BlackBox:
    """One line of JSON: {"job", "node", "class_type", "title"} of the node that holds the baton, {"pack"} at a start, or null."""

    def __init__(self, path: str | None) -> None:
        self._map: mmap.mmap | None = None
        if path:
            with Path(path).open("w+b") as file:
                file.truncate(BLACKBOX_SIZE)
                self._map = mmap.mmap(file.fileno(), BLACKBOX_SIZE)
        self.clear()

    def record(self, job: int, node: str, class_type: str, title: str) -> None:
        """Names the node that is about to execute."""
        self._write({"job": job, "node": node[:_TEXT], "class_type": class_type[:_TEXT], "title": title[:_TEXT]})

    def importing(self, pack: str) -> None:
        """Names the node pack that is about to be imported."""
        self._write({"pack": pack[:_TEXT]})

    def clear(self) -> None:
        """Says that no node executes, and no pack is imported."""
        self._write(None)

    def _write(self, value: dict[str, object] | None) -> None:
        if self._map is None:
            return
        line = json.dumps(value).encode() + b"\n"
        self._map[: len(line)] = line
