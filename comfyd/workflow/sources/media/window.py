"""Reading parts of a file that nobody vouches for: exactly, and not more of it in all than a bound."""

import zlib
from typing import BinaryIO

_LARGEST_INFLATED = 64 * 2**20
_BUDGET = 256 * 2**20
_PER_READ = 256  # a read costs at least this much, so that a file of a billion tiny parts comes to an end as well


class Damaged(Exception):
    """The file contradicts itself or ends too early; the text is a phrase that says how."""


class _Budget:
    def __init__(self, size: int) -> None:
        self._left = size

    def spend(self, size: int) -> None:
        """Raises Damaged once all of it is spent."""
        self._left -= max(size, _PER_READ)
        if self._left < 0:
            raise Damaged("its metadata is larger than any workflow")


class Window:
    """Some bytes of a file by their offsets; the windows made from one share its budget."""

    def __init__(self, file: BinaryIO, start: int, size: int, budget: _Budget | None = None) -> None:
        self._file, self._start, self.size = file, start, size
        self._budget = budget or _Budget(_BUDGET)

    @classmethod
    def of(cls, file: BinaryIO) -> "Window":
        """All of a seekable file."""
        return cls(file, 0, file.seek(0, 2))

    def read(self, offset: int, size: int) -> bytes:
        """Exactly these bytes; raises Damaged where the window has fewer."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise Damaged("it ends too early")
        self._budget.spend(size)
        self._file.seek(self._start + offset)
        data = self._file.read(size)
        if len(data) < size:
            raise Damaged("it ends too early")
        return data

    def upto(self, offset: int, size: int) -> bytes:
        """These bytes, or as many of them as there are."""
        return self.read(offset, max(0, min(size, self.size - offset)))

    def part(self, offset: int, size: int) -> "Window":
        """A window in this one; raises Damaged where it does not fit."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise Damaged("it ends too early")
        return Window(self._file, self._start + offset, size, self._budget)

    def all(self) -> bytes:
        """Every byte."""
        return self.read(0, self.size)

    def inflated(self, data: bytes) -> bytes:
        """What was compressed; it counts as read. Raises Damaged."""
        inflater = zlib.decompressobj()
        try:
            text = inflater.decompress(data, _LARGEST_INFLATED)
        except zlib.error as error:
            raise Damaged("a compressed text in it cannot be inflated") from error
        self._budget.spend(len(text))
        if not inflater.eof:
            raise Damaged("a compressed text in it is cut off or larger than any workflow")
        return text


def decoded(raw: bytes) -> str:
    """Text whose encoding nobody told: UTF-8, else Latin-1, which takes everything."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
