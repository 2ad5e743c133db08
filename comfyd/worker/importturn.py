"""Whose turn it is to import what waits: one thread's at a time, and what it waits for itself comes first.

Python locks a module while it is imported. A thread in the middle of an import may come to something that waits while the
thread whose turn it is needs the very module that is being imported: with an ordinary lock each would wait for the other for
ever, and with Python's locks one of them would be given half a module. Here the turn is lent to whom its holder waits for, so
that all comes about in an order that it could have in a single thread, where one import leads to another.
"""

import importlib
import threading
from typing import Any

_LOOK = 0.005  # seconds between two looks at whether the holder waits: nobody tells of that


class ImportTurn:
    """A lock that a thread may take again, and that is lent by a holder who waits for an import of the taker."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._threads: list[int] = []

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._changed:
            while not self._may_go(me):
                self._changed.wait(_LOOK)
            self._threads.append(me)

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._threads.pop()  # a lender still waits for what the borrower is importing
            self._changed.notify_all()

    def _may_go(self, thread: int) -> bool:
        if not self._threads or self._threads[-1] == thread:
            return True
        return _waits_for(self._threads[-1], thread)


turn = ImportTurn()
"""The one of this process."""


def _waits_for(waiting: int, other: int) -> bool:
    """Whether a thread waits for a module that the other imports, be it through further threads."""
    seen, look_at = {waiting}, [waiting]
    while look_at:
        owners = {lock.owner for lock in _asked_for(look_at.pop())} - seen
        if other in owners:
            return True
        seen |= owners
        look_at.extend(owners)
    return False


def _asked_for(thread: Any) -> list[Any]:
    """The module locks that a thread waits for; Python keeps account of them to find deadlocks of its own."""
    account = getattr(importlib._bootstrap, "_blocking_on", {})
    found = account.get(thread)
    if found is None:
        return []
    return list(found) if isinstance(found, list) else [found]
