"""How far the host may run ahead of the GPU."""

from collections import deque

import torch


class Pace:
    """Lets two replays be on their way: the GPU never waits for the host, and progress and cancel stay within a step or two."""

    def __init__(self, ahead: int = 2) -> None:
        self._ahead = ahead
        self._events: deque[torch.cuda.Event] = deque()

    def wait(self) -> None:
        """Before a launch."""
        while len(self._events) >= self._ahead:
            self._events.popleft().synchronize()

    def mark(self) -> None:
        """After it."""
        event = torch.cuda.Event(blocking=True)
        event.record()
        self._events.append(event)
