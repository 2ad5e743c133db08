"""What of a sweep is done, in a file beside its pictures, so that the same command runs only what is missing."""

import fcntl
import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from comfyd.errors import OutputNotWritable
from comfyd.whole import publish

NAME = "sweep.json"
_SHEET, _PAGE = "sheet{}.png", "index{}.html"


class Made(msgspec.Struct):
    """A combination that is done."""

    files: list[str]
    """Names in the directory."""
    job: int
    seconds: float


class Content(msgspec.Struct):
    """The file's content; the keys are those of the points."""

    comfyd_sweep: int = 1
    """The format."""
    done: dict[str, Made] = {}
    jobs: dict[str, int] = {}
    """Jobs that were handed in and whose end nobody has seen."""
    drawn: dict[str, dict[str, list[Any]]] = {}
    """Random seeds by the command that drew them, so that it draws none anew when it goes on."""
    sheets: dict[int, list[str]] = {}
    """By the contact sheets' numbers the combinations that each shows."""


class Manifest:
    """The directory of a sweep, held by one command at a time; raises OutputNotWritable."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = directory / NAME
        self._lock: int | None = None
        self.content = Content()

    def __enter__(self) -> Self:
        if self.directory.is_dir():
            self._take()
        return self

    def begin(self) -> None:
        """Make the directory, and see that it can be written: what was refused before has left nothing behind."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                drawn = self.content.drawn
                self._take()
                self.content.drawn.update(drawn)
            self._write()
        except OSError as error:
            raise OutputNotWritable(f"{self.directory} cannot be written ({error.strerror}); give another path to -o.") from error

    def _take(self) -> None:
        try:
            self._lock = os.open(self.directory, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.content = self._read()
        except BaseException as error:
            self._release()
            if isinstance(error, BlockingIOError):
                other = f"Another sweep writes into {self.directory}; wait for its end or give another -o."
                raise OutputNotWritable(other) from error
            if isinstance(error, OSError):
                why = f"{self.directory} cannot be read ({error.strerror}); give another path to -o."
                raise OutputNotWritable(why) from error
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def _read(self) -> Content:
        try:
            content = msgspec.json.decode(self._file.read_bytes(), type=_Whole)
        except FileNotFoundError:
            return Content()
        except msgspec.MsgspecError as error:
            raise OutputNotWritable(f"{self._file} is no record of a sweep; move it away or give another -o.") from error
        if not content.sheets and content.done and self._is_drawn(1):
            content.sheets[1] = sorted(content.done)  # before comfyd wrote down what a sheet shows, there was one
        return content

    def _write(self) -> None:
        publish(self._file, lambda stream: stream.write(msgspec.json.encode(self.content)))

    def done(self, key: str) -> Made | None:
        """What was made of a combination, if its files are still there."""
        made = self.content.done.get(key)
        if made is None or not all((self.directory / name).is_file() for name in made.files):
            return None
        return made

    def job(self, key: str) -> int | None:
        """The job that may have made it or be about to."""
        return self.content.jobs.get(key)

    def handed_in(self, key: str, job: int) -> None:
        """The combination is a job."""
        if self.content.jobs.get(key) != job:
            self.content.jobs[key] = job
            self._write()

    def finished(self, key: str, made: Made) -> None:
        """Its files are in the directory."""
        self.content.done[key] = made
        self.content.jobs.pop(key, None)
        self._write()

    def drawn(self, command: str, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The values that this command drew first, which are these where it never did; written down by ``begin``."""
        return self.content.drawn.setdefault(command, values)

    def sheets(self, keys: Iterable[str]) -> tuple[Path, Path]:
        """Where the contact sheet of these combinations belongs, and its page: in place of one that shows no others.

        Raises OSError.
        """
        wanted = set(keys)
        own = [number for number, shown in self.content.sheets.items() if wanted.issuperset(shown)]
        number = max(own, key=lambda each: len(self.content.sheets[each]), default=0) or self._free()
        self.content.sheets[number] = sorted(wanted)
        self._write()
        return self._drawn_at(number)

    def _free(self) -> int:
        return next(number for number in count(1) if number not in self.content.sheets and not self._is_drawn(number))

    def _is_drawn(self, number: int) -> bool:
        return any(file.exists() for file in self._drawn_at(number))

    def _drawn_at(self, number: int) -> tuple[Path, Path]:
        mark = f"~{number}" if number > 1 else ""
        return self.directory / _SHEET.format(mark), self.directory / _PAGE.format(mark)


class _Whole(Content):
    """A content that says what it is."""

    comfyd_sweep: int
