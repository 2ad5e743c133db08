"""Keys that are typed while a display moves: kept for whoever reads next, not echoed into the display."""

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

CONTROL = termios.ECHOCTL
_LOCAL_FLAGS = 3


@contextmanager
def unechoed(stdin: TextIO, flag: int = termios.ECHO) -> Iterator[None]:
    """Without echo; signals such as Ctrl-C still come through. Does nothing where stdin is no terminal of ours.

    With ``CONTROL`` only the ``^C`` of such keys is not shown.
    """
    if not in_foreground(stdin):
        yield
        return
    before = termios.tcgetattr(stdin)
    silent = list(before)
    silent[_LOCAL_FLAGS] &= ~flag
    termios.tcsetattr(stdin, termios.TCSANOW, silent)
    try:
        yield
    finally:
        if in_foreground(stdin):
            termios.tcsetattr(stdin, termios.TCSANOW, before)


def in_foreground(stream: TextIO) -> bool:
    """Whether this is a terminal that is ours to use: to change it from the background (``&``) would stop us."""
    try:
        return stream.isatty() and os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except OSError:  # a terminal, but not the one that controls this process
        return True
