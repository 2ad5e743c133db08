"""Receipts: what a job's attempts have published, so that one whose end nobody heard of leaves nothing beside the next one's.

A file of lines for each job. The worker appends a line before it gives a file its name, the daemon deletes the receipt once the
job's end is in the journal. A receipt that is still there when a job is given to a worker is that of an interrupted attempt.
"""

import os
from collections.abc import Callable, Collection, Iterable

import msgspec


class Published(msgspec.Struct, frozen=True):
    """A file as it got its name; times in nanoseconds. What somebody puts there or changes later is another one."""

    path: str
    inode: int
    size: int
    modified: int


def published(path: str, status: os.stat_result) -> Published:
    """A file of this status under the name ``path``, which a rename leaves as it is."""
    return Published(path, status.st_ino, status.st_size, status.st_mtime_ns)


def line(entry: Published) -> bytes:
    """What is appended to a receipt; raises UnicodeEncodeError for a name that is no text."""
    return b"\n" + msgspec.json.encode(entry)  # begun anew also after a line that was cut off


def read(receipt: bytes) -> list[Published]:
    """All that can be read of a receipt."""
    found = []
    for text in filter(None, receipt.split(b"\n")):
        try:
            found.append(msgspec.json.decode(text, type=Published))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return found


def unchanged(entries: Iterable[Published], find: Callable[[Published], Published | None]) -> list[Published]:
    """Those that are still what was published; ``find`` tells what is there now."""
    return [entry for entry in dict.fromkeys(entries) if find(entry) == entry]


def surplus(entries: Iterable[Published], told: Collection[str]) -> list[str]:
    """The paths that are no job's result: ended jobs, which were told of the files they share, keep theirs."""
    return [entry.path for entry in entries if entry.path not in told]
