"""Files on their way to disk, in a pool of threads: written aside, put in place by rename, claimed by the jobs that name them."""

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from comfyd import whole
from comfyd.worker.receipts import Receipts

_LIMIT = 256 * 1024**2  # bytes of pixels that wait for a thread; a video's frames must not pile up
_PIECE = 1024**2  # bytes that are copied at a time
_THREADS = max(1, min(4, (os.cpu_count() or 1) // 2))


@dataclass(eq=False)
class Write:
    """One file; it gets its name only as long as a job claims it."""

    target: Path
    part: Path
    """Where it grows, on the target's file system."""
    size: int
    """Bytes it keeps in memory until it is written."""
    parts: Callable[[], Iterable[bytes]] | None
    """Makes the content; called in the pool."""
    claims: set[int] = field(default_factory=set)
    decided: bool = False
    """A claim made or given up from here on comes too late."""
    there: bool = False
    error: BaseException | None = None
    then: list[Callable[[], None]] | None = field(default_factory=list)
    """What to do once it is there, before anybody who waits goes on; None once that has begun."""


class Writes:
    """All that is on its way, by target; every method is safe in any thread."""

    def __init__(self, threads: int = _THREADS, limit: int = _LIMIT) -> None:
        self.changed = threading.Condition()
        self.receipts = Receipts()
        self._pool = ThreadPoolExecutor(threads, "write")
        self._limit = limit
        self._pending: dict[Path, Write] = {}
        self._lost: set[Path] = set()

    def begin(self, job: int, target: Path, part: Path, size: int, parts: Callable[[], Iterable[bytes]]) -> Write:
        """Hands in a file of a job; waits where the same name or too much memory is on its way."""
        write = Write(target, part, size, parts, {job})
        with self.changed:
            self.changed.wait_for(lambda: target not in self._pending and self._has_room(size))
            self._pending[target] = write
        self._pool.submit(self._run, write)
        return write

    def claim(self, job: int, target: Path) -> Write | None:
        """The write that is about to put a file there, which from now on is also this job's; None: there is none."""
        with self.changed:
            write = self._pending.get(target)
            if write is None or (write.decided and not write.claims):
                return None
            write.claims.add(job)
            return write

    def expected(self, target: Path) -> bool:
        """Whether a file of that name is on its way."""
        return target in self._pending

    def targets(self) -> list[Path]:
        """All names that are taken: what is on its way, and what never came, which a cached result may still name."""
        with self.changed:
            return [*self._pending, *self._lost]

    def abandon(self, job: int) -> None:
        """Gives up a job's claims: what is nobody's and not yet in place never appears."""
        with self.changed:
            for write in self._pending.values():
                if not write.decided:
                    write.claims.discard(job)
            self.changed.notify_all()

    def wait(self, job: int | None = None, unless: Callable[[], bool] = lambda: False) -> None:
        """Until nothing of the job, or of any, is on its way, or ``unless`` holds; whoever makes it hold notifies ``changed``."""
        with self.changed:
            self.changed.wait_for(lambda: unless() or not any(job in (None, *w.claims) for w in self._pending.values()))

    def then(self, write: Write, action: Callable[[], None]) -> None:
        """Has something done as soon as the file is there, and at once where it is; nothing where it never will be."""
        with self.changed:
            if write.then is not None:
                write.then.append(action)
                return
        if write.there:
            action()

    def publish(self, jobs: Collection[int], file: Path, target: Path) -> None:
        """Puts a whole file of these jobs in place, once their receipts name it."""
        move(file, target, lambda that: self.receipts.note(jobs, that, target))

    def _has_room(self, size: int) -> bool:
        return not self._pending or sum(write.size for write in self._pending.values()) + size <= self._limit

    # ------------------------------------------------------------ in the pool

    def _run(self, write: Write) -> None:
        try:
            self._put(write)
        except BaseException as error:
            write.error = _named(error, write.target)
        finally:
            with contextlib.suppress(OSError):
                write.part.unlink(missing_ok=True)
            self._end(write)

    def _put(self, write: Write) -> None:
        if not self._claims(write, last=False):
            return
        assert write.parts is not None
        write.part.parent.mkdir(parents=True, exist_ok=True)
        with write.part.open("wb") as file:
            file.writelines(write.parts())
        if jobs := self._claims(write, last=True):
            self.publish(jobs, write.part, write.target)
            write.there = True

    def _claims(self, write: Write, last: bool) -> list[int]:
        """The jobs that claim it; that there are none, or ``last``, is final."""
        with self.changed:
            write.decided = last or not write.claims
            return list(write.claims)

    def _end(self, write: Write) -> None:
        write.parts = None
        with self.changed:
            actions, write.then = write.then or [], None
        try:
            for action in actions if write.there else ():
                action()
        finally:
            with self.changed:
                del self._pending[write.target]
                if not write.there:
                    self._lost.add(write.target)
                self.changed.notify_all()


def move(file: Path, target: Path, before: Callable[[Path | int], None] = lambda that: None) -> None:
    """Puts a whole file in place, also where that is another file system.

    ``before`` is called with what is about to get the name: the file, or the descriptor of its copy.
    """
    before(file)
    try:
        file.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        whole.publish(target, lambda stream: _copy(file, stream, before))
        file.unlink()


def _copy(file: Path, to: IO[bytes], before: Callable[[Path | int], None]) -> None:
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            to.write(piece)
    to.flush()
    before(to.fileno())


def _named(error: BaseException, target: Path) -> BaseException:
    """The error with the name of the file that people know."""
    if isinstance(error, OSError):
        error.filename, error.filename2 = str(target), None
    return error
