"""Keys that are typed while a display moves: kept for whoever reads next, not echoed into the display."""

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_LOCAL_FLAGS = 3


@contextmanager
def unechoed(stdin: TextIO) -> Iterator[None]:
    """Without echo; signals such as Ctrl-C still come through. Does nothing where stdin is no terminal of ours."""
    if not _ours(stdin):
        yield
        return
    before = termios.tcgetattr(stdin)
    silent = list(before)
    silent[_LOCAL_FLAGS] &= ~termios.ECHO
    termios.tcsetattr(stdin, termios.TCSANOW, silent)
    try:
        yield
    finally:
        if _ours(stdin):
            termios.tcsetattr(stdin, termios.TCSANOW, before)


def _ours(stdin: TextIO) -> bool:
    """Whether this is a terminal and we are in its foreground: to change it from the background would stop us."""
    return stdin.isatty() and os.tcgetpgrp(stdin.fileno()) == os.getpgrp()
