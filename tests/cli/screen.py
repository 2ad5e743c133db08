"""A terminal for the prompt: a pseudo-terminal whose screen can be read, and which answers where its cursor is."""

import codecs
import fcntl
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

from tests.daemon_process import LIMIT

_ASKED = "\x1b[6n"
_MOST = 5000
CTRL_C, CTRL_D, CTRL_R, ESCAPE, TAB, UP, RIGHT = "\x03", "\x04", "\x12", "\x1b", "\t", "\x1b[A", "\x1b[C"
PROMPT = "comfy>"


class Screen:
    """What somebody sees of one program, and types into it."""

    def __init__(self, command: list[str], directory: Path, *, rows: int = 24, columns: int = 80, **environ: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PROMPT_TOOLKIT_NO_CPR"}
        self.child = pexpect.spawn(
            command[0], command[1:], cwd=str(directory), env=environment | environ, dimensions=(rows, columns), timeout=LIMIT
        )
        self._screen = pyte.HistoryScreen(columns, rows, history=_MOST)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.raw = ""

    # ------------------------------------------------------------ seeing

    @property
    def lines(self) -> list[str]:
        """The rows on the screen, without blanks at their ends."""
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        """All that is on the screen."""
        return "\n".join(self.lines)

    @property
    def toolbar(self) -> str:
        """The last row."""
        return self.lines[-1]

    @property
    def everything(self) -> str:
        """The rows that have scrolled away, and the screen."""
        above = ["".join(row[column].data for column in range(self._screen.columns)).rstrip() for row in self._screen.history.top]
        return "\n".join([*above, *self.lines]).rstrip()

    def until(self, seen: Callable[[], object] | str) -> None:
        """Read what is drawn until a text stands on the screen, or a condition holds."""
        condition = (lambda: seen in self.text) if isinstance(seen, str) else seen
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end or not self._read():
                raise AssertionError(f"waited in vain for {seen!r}; the screen shows:\n{self.text}")

    def until_prompt(self) -> None:
        """Until an empty prompt is the last thing above the toolbar."""
        self.until(lambda: self._at_prompt())

    def _at_prompt(self) -> bool:
        row = self._screen.cursor.y
        return self.lines[row] == PROMPT and self._screen.cursor.x == len(PROMPT) + 1

    def _read(self) -> bool:
        ready, _, _ = select.select([self.child.child_fd], [], [], 1.0)
        if not ready:
            return True
        try:
            data = os.read(self.child.child_fd, 65536)
        except OSError:
            return False
        self._feed(self._decoder.decode(data))
        return bool(data)

    def _feed(self, text: str) -> None:
        self.raw += text
        *before, rest = text.split(_ASKED)
        for piece in before:
            self._stream.feed(piece)
            cursor = self._screen.cursor
            self.send(f"\x1b[{cursor.y + 1};{cursor.x + 1}R")
        self._stream.feed(rest)

    # ------------------------------------------------------------ typing

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self.child.child_fd, keys.encode())

    def enter(self, line: str) -> None:
        """Type a line, and hand it in once it stands there."""
        self.send(line)
        self.until(lambda: self._shows(line))
        self.send("\r")

    def _shows(self, line: str) -> bool:
        width = self._screen.columns
        typed = "".join(row.ljust(width) for row in self.lines)
        return f"{PROMPT} {line}".rstrip() in typed

    def does(self, line: str) -> str:
        """Type a line, wait for the next prompt; what stands between."""
        self.enter(line)
        before = self.everything.count(PROMPT)
        self.until(lambda: self.everything.count(PROMPT) > before and self._at_prompt())
        return self.everything.rsplit(PROMPT, 2)[1]

    def recall(self, line: str) -> None:
        """Go back in the history to a line; a key that came before the history was read is pressed again."""
        end = time.monotonic() + LIMIT
        while f"{PROMPT} {line}" not in self.text:
            assert time.monotonic() < end, f"{line!r} is not in the history; the screen shows:\n{self.text}"
            self.send(UP)
            self._rest()

    def _rest(self) -> None:
        """Read until nothing is drawn any more."""
        while select.select([self.child.child_fd], [], [], 1.0)[0]:
            self._read()

    def resize(self, rows: int, columns: int) -> None:
        """As if somebody pulled the window."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self.child.child_fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def ended(self) -> int:
        """Read to the end; the exit status, 128 and the signal for a violent one."""
        end = time.monotonic() + LIMIT
        while self._read() and self.child.isalive():
            assert time.monotonic() < end, f"it does not end; the screen shows:\n{self.text}"
        self.child.wait()
        return int(self.child.exitstatus if self.child.exitstatus is not None else 128 + self.child.signalstatus)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the program from outside."""
        self.child.kill(number)

    def close(self) -> None:
        """Whatever is left of it."""
        self.child.close(force=True)
