"""The baton: many job threads, one of which executes at a time, with ComfyUI's globals kept apart at every hand-over."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol


class State(Protocol):
    """What a turn takes along when it passes the baton on."""

    def save(self) -> None: ...

    def restore(self) -> None: ...


class Turn:
    """One job thread's claim on the baton."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.until: Callable[[], bool] | None = None
        """What has to be true before this turn can go on; None: nothing."""

    def runnable(self) -> bool:
        return self.until is None or self.until()


class Baton:
    """Lends execution to one turn at a time; every method is safe in any thread.

    The engine's loop lends; a job thread takes the baton when it starts or wakes up, and passes it on at each step.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._ready: deque[Turn] = deque()
        self._holder: Turn | None = None

    def has_ready(self) -> bool:
        """Whether a waiting turn could go on."""
        with self.changed:
            return any(turn.runnable() for turn in self._ready)

    def holds(self, turn: Turn) -> bool:
        return self._holder is turn

    def lend_next(self) -> bool:
        """Lends to the turn that has waited longest and can go on, until it passes the baton on; False: there is none."""
        with self.changed:
            turn = next((turn for turn in self._ready if turn.runnable()), None)
            if turn is None:
                return False
            self._ready.remove(turn)
            self.lend(turn)
            return True

    def lend(self, turn: Turn, start: Callable[[], None] = lambda: None) -> None:
        """Lends to this turn; ``start`` wakes the thread of one that is new, which need not stand in line then."""
        with self.changed:
            self.entrust(turn, start)
            self.changed.notify_all()
            self.await_return()

    def entrust(self, turn: Turn, start: Callable[[], None]) -> None:
        """The same for one that is new, without waiting: whoever lends next awaits the return first."""
        with self.changed:
            self._holder = turn
            start()

    def await_return(self) -> None:
        """Waits until nobody has the baton."""
        with self.changed:
            self.changed.wait_for(lambda: self._holder is None)

    def take(self, turn: Turn) -> None:
        """Waits in line for the baton, then puts this turn's globals in place."""
        with self.changed:
            if self._holder is not turn:
                self._ready.append(turn)
                self.changed.notify_all()
            self.changed.wait_for(lambda: self._holder is turn)
        turn.until = None
        turn.state.restore()

    def give(self, turn: Turn) -> None:
        """Saves this turn's globals and lets go of the baton."""
        turn.state.save()
        self.leave()

    def leave(self) -> None:
        """Lets go of the baton for good: nothing of the holder's globals is needed again."""
        with self.changed:
            self._holder = None
            self.changed.notify_all()

    def pass_on(self, turn: Turn, until: Callable[[], bool] | None = None) -> None:
        """Lets the others step, and comes back in turn once ``until`` holds."""
        turn.until = until
        self.give(turn)
        self.take(turn)
