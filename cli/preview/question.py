"""Asks the terminal which pictures it shows; what it answers comes where keys come from."""

import os
import re
import select
import termios
import time
from typing import TextIO

from ..keyboard import in_foreground
from ..terminal import Terminal
from .kinds import BLOCKS, KITTY, SIXEL

_LOCAL_FLAGS, _CONTROL = 3, 6
_QUESTION = "\x1b7\x1b_Gi=4207,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b8\x1b[K\x1b[c"
"""Kitty's, which others leave unanswered and a few print, and which device this is, which every terminal says."""
_DEVICE = re.compile(rb"\x1b\[\?([0-9;]*)c")
_PATIENCE = 0.3
_SIXEL = "4"


def ask(terminal: Terminal) -> str | None:
    """What the terminal answers, blocks where it does not; None where it cannot be asked now: keys are waiting to be read."""
    if not (in_foreground(terminal.stdin) and in_foreground(terminal.stderr)) or _waiting(terminal.stdin, 0):
        return None
    try:
        before = termios.tcgetattr(terminal.stdin)
        raw = [*before[:_CONTROL], list(before[_CONTROL])]
        raw[_LOCAL_FLAGS] &= ~(termios.ECHO | termios.ICANON)
        raw[_CONTROL][termios.VMIN], raw[_CONTROL][termios.VTIME] = 1, 0
        termios.tcsetattr(terminal.stdin, termios.TCSANOW, raw)
        try:
            terminal.stderr.write(_QUESTION)
            terminal.stderr.flush()
            return told(_answer(terminal.stdin))
        finally:
            termios.tcsetattr(terminal.stdin, termios.TCSANOW, before)
    except (OSError, termios.error):
        return None


def told(answer: bytes) -> str:
    """What an answer means."""
    device = _DEVICE.search(answer)
    if device is None:
        return BLOCKS
    if b"\x1b_Gi=4207;OK" in answer[: device.start()]:
        return KITTY
    return SIXEL if _SIXEL in device[1].decode().split(";") else BLOCKS


def _answer(stdin: TextIO) -> bytes:
    """What comes up to the device's own answer, or until patience ends."""
    end, answer = time.monotonic() + _PATIENCE, b""
    while not _DEVICE.search(answer) and _waiting(stdin, end - time.monotonic()):
        answer += os.read(stdin.fileno(), 1024)
    return answer


def _waiting(stdin: TextIO, seconds: float) -> bool:
    return bool(select.select([stdin.fileno()], [], [], max(0.0, seconds))[0])
