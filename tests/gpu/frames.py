"""Runs a command in a pseudo-terminal and prints the screens a person sees: ``python -m tests.gpu.frames COMMAND ...``.

Each new screen is printed once, at most every ``INTERVAL`` seconds, so that a moving display can be read afterwards.
"""

import sys
import time

import pexpect
import pyte

COLUMNS, LINES = 100, 16
INTERVAL = 0.04


def frames(command: list[str], timeout: float = 300.0) -> list[str]:
    """The distinct screens of a command, the last one included; raises TimeoutError when it does not end."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(command[0], command[1:], dimensions=(LINES, COLUMNS), timeout=timeout)
    seen: list[str] = []
    taken = 0.0
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            stream.feed(child.read_nonblocking(65536, timeout=0.02))
        except pexpect.TIMEOUT:
            continue
        except pexpect.EOF:
            return [*seen, _text(screen)]
        if time.monotonic() - taken > INTERVAL and (not seen or _text(screen) != seen[-1]):
            seen.append(_text(screen))
            taken = time.monotonic()
    raise TimeoutError(" ".join(command))


def _text(screen: pyte.Screen) -> str:
    return "\n".join(line.rstrip() for line in screen.display).strip("\n")


if __name__ == "__main__":
    for number, frame in enumerate(frames(sys.argv[1:])):
        print(f"--- screen {number + 1}\n{frame}")
