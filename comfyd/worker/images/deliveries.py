"""One job's files: those on their way, and who is told when they are there."""

import functools
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from .writes import Write, Writes

Tell = Callable[[str, list[Path]], None]
"""Takes a node's id and its files."""


class Deliveries:
    """Tells of a node's files once all of them are there, and keeps the job's end until then."""

    def __init__(self, job: int, writes: Writes, tell: Tell) -> None:
        self._job = job
        self._writes = writes
        self._tell = tell
        self._claimed: dict[Path, Write] = {}
        self._nodes: list[tuple[str, list[Write]]] = []

    def begin(self, target: Path, part: Path, size: int, parts: Callable[[], Iterable[bytes]]) -> None:
        """Hands in a file; see Writes.begin."""
        self._claimed[target] = self._writes.begin(self._job, target, part, size, parts)

    def available(self, file: Path) -> bool:
        """Whether a file is there, or on its way, be it another job's, and then waited for by this one too."""
        if write := self._writes.claim(self._job, file):
            self._claimed[file] = write
            return True
        return file.exists()

    def add(self, node_id: str, files: list[Path]) -> None:
        """A node has ended with these files."""
        late = [write for file in files if (write := self._claimed.get(file))]
        if not late:
            self._tell(node_id, files)
            return
        self._nodes.append((node_id, late))
        arrived = _after(len(late), functools.partial(self._tell, node_id, files))
        for write in late:
            self._writes.then(write, arrived)

    def failure(self) -> tuple[BaseException, str] | None:
        """Why a file could not be written, and its node: the first of those added."""
        return next(((write.error, node) for node, late in self._nodes for write in late if write.error), None)

    def wait(self, unless: Callable[[], bool]) -> None:
        """Until everything claimed is there or has failed, or ``unless`` holds."""
        if self._claimed:
            self._writes.wait(self._job, unless)

    def settle(self, everybody: bool, unless: Callable[[], bool]) -> None:
        """Until nothing of the job, or of any, is on its way, or ``unless`` holds."""
        self._writes.wait(None if everybody else self._job, unless)

    def pending(self) -> bool:
        """Whether anything claimed may still be on its way."""
        return any(self._writes.expected(target) for target in self._claimed)

    def abandon(self) -> None:
        """The job is cancelled: what is not in place yet never appears, unless another job waits for it."""
        if self._claimed:
            self._writes.abandon(self._job)


def _after(count: int, action: Callable[[], None]) -> Callable[[], None]:
    """Does the action at the last of so many calls, in whatever threads."""
    left, lock = [count], threading.Lock()

    def called() -> None:
        with lock:
            left[0] -= 1
            last = not left[0]
        if last:
            action()

    return called
