"""What a command sees of the world: its streams, the environment, settings and paths. Below main nothing touches ``sys``."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

import msgspec

from comfyd import config
from comfyd.errors import ComfydError, OutputNotWritable, UsageError
from comfyd.protocol import Error

from .text import printable, wrapped

if TYPE_CHECKING:
    from rich.console import Console

_USUAL = 80
_DUMB = ("dumb", "unknown")
_DIM, _BOLD, _RED, _GREEN, _RESET = "\x1b[2m", "\x1b[1m", "\x1b[1;31m", "\x1b[32m", "\x1b[0m"


class Terminal:
    """The streams of one invocation and what they can show; results go to ``stdout``, everything else to ``stderr``."""

    def __init__(
        self,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.stdin = stdin or sys.stdin
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.environ = os.environ if environ is None else environ
        self.comfyui: Path | None = None
        """The checkout that --comfyui named."""
        self.preview = ""
        """How pictures are to be shown; empty: as the settings say."""

    def prepare(self) -> None:
        """Let paths through that are no text in this locale, and characters that it lacks become ``?`` instead of an error."""
        if isinstance(self.stdin, TextIOWrapper):
            self.stdin.reconfigure(errors="surrogateescape")
        if isinstance(self.stdout, TextIOWrapper):
            unicode = self.stdout.encoding.lower().replace("-", "") == "utf8"
            self.stdout.reconfigure(errors="surrogateescape" if unicode else "replace")

    @cached_property
    def paths(self) -> config.Paths:
        return config.paths(self.environ)

    @cached_property
    def config(self) -> config.Config:
        return config.load(self.paths, self.environ)

    @property
    def live(self) -> bool:
        """Whether a moving display may be drawn on stderr."""
        return self.stderr.isatty() and not self.dumb

    @property
    def dumb(self) -> bool:
        """Whether the terminal knows no control sequences."""
        return self.environ.get("TERM", "").lower() in _DUMB

    @contextmanager
    def previewing(self, choice: str) -> Iterator[None]:
        """While one command runs, pictures are shown so; empty: as before."""
        before = self.preview
        self.preview = choice or before
        try:
            yield
        finally:
            self.preview = before

    @property
    def columns(self) -> int:
        """The terminal's width: what COLUMNS says, else that of the first stream that is one, else 80."""
        stated = self.environ.get("COLUMNS", "")
        if stated.isdecimal() and int(stated):
            return int(stated)
        for stream in (self.stdout, self.stderr, self.stdin):
            with suppress(OSError):
                return os.get_terminal_size(stream.fileno()).columns or _USUAL
        return _USUAL

    def colours(self, stream: IO[str]) -> bool:
        """Whether text on this stream may be styled."""
        return stream.isatty() and not self.environ.get("NO_COLOR") and not self.dumb

    def out(self, text: str) -> None:
        """One line of the result; raises OutputNotWritable where stdout is full."""
        try:
            self.stdout.write(text + "\n")
            self.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputNotWritable(
                f"stdout cannot be written ({error.strerror}); redirect it elsewhere, and `comfyd history` names a job's files."
            ) from error

    def heading(self, text: str) -> None:
        """One line of the result that stands out on a terminal."""
        self.out(f"{_BOLD}{text}{_RESET}" if self.colours(self.stdout) else text)

    def foreign(self, text: str) -> None:
        """A line made elsewhere, such as a file's path: as it is for programs, escaped for eyes."""
        self.out(printable(text.expandtabs()) if self.stdout.isatty() else text)

    def json(self, message: msgspec.Struct | dict[str, object]) -> None:
        """One object on a line of its own; a message's ``type`` comes first."""
        self.out(msgspec.json.encode(message).decode())

    def bytes(self, data: bytes) -> None:
        """Raw bytes on stdout."""
        self.stdout.flush()
        self.stdout.buffer.write(data)
        self.stdout.buffer.flush()

    def note(self, text: str, *, dim: bool = True) -> None:
        """One line beside the result, on stderr."""
        self._say(text, _DIM if dim else "")

    def command(self, text: str) -> None:
        """A command to copy, on stderr: never broken into lines."""
        self._write(f"{_DIM}{text}{_RESET}" if self.colours(self.stderr) else text)

    def success(self, text: str) -> None:
        """The line that sums up, on stderr."""
        self._say(text, _GREEN)

    def error(self, sentence: str) -> None:
        """What went wrong, in one sentence."""
        text = self._fitted(f"comfyd: {sentence}")
        if self.colours(self.stderr):
            text = text.replace("comfyd:", f"{_RED}comfyd:{_RESET}", 1)
        self._write(text)

    def ask(self, question: str) -> bool:
        """A yes-or-no question, no by default; raises UsageError where nobody can answer."""
        if not self.stdin.isatty():
            raise UsageError(f"{question} Nobody can answer here: give --yes.")
        self.stderr.write(f"{question} [y/N] ")
        self.stderr.flush()
        return self.stdin.readline().strip().lower() in ("y", "yes")

    def failure(self, error: ComfydError, *, json: bool = False) -> int:
        """An error as one sentence, for programs also as the last line of JSON; its exit status."""
        if json:
            with suppress(OutputNotWritable):
                self.json(Error(error=error.info()))
        self.error(printable(error.message))
        return error.exit_status

    def _say(self, text: str, style: str) -> None:
        text = self._fitted(text)
        styled = f"{style}{text}{_RESET}" if style and self.colours(self.stderr) else text
        self._write(styled)

    def _fitted(self, text: str) -> str:
        """A sentence on stderr, broken between words where it is wider than the terminal."""
        return wrapped(text, self.columns) if self.stderr.isatty() and len(text) > self.columns else text

    def _write(self, text: str) -> None:
        self.stderr.write(text + "\n")
        self.stderr.flush()

    def console(self, stream: TextIO) -> "Console":
        """A rich console on one of the streams."""
        from rich.console import Console

        return Console(file=stream, highlight=False, markup=False, emoji=False, no_color=not self.colours(stream))
