"""Connections to the daemon for any number of threads, each lent to one at a time; none survives a fork."""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from comfyd.client import Client
from comfyd.config import Config, Paths
from comfyd.errors import DaemonUnavailable, Refused, Unavailable

_left_behind: list[Client] = []
"""The parent's connections, in a child: neither used nor closed, as the parent still uses them."""
_pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


class Pool:
    """Idle clients; as many are opened as threads ask at once."""

    def __init__(self, config: Config, paths: Paths, *, start: bool) -> None:
        self._config = config
        self._paths = paths
        self._start = start
        self._idle: list[Client] = []
        self._open = True
        self.forget()
        _pools.add(self)

    def forget(self) -> None:
        """Begin without idle clients, as a child does after a fork."""
        self._lock = threading.Lock()
        _left_behind.extend(self._idle)
        self._idle = []

    @contextmanager
    def lent(self) -> Iterator[Client]:
        """A connected client for the length of a request, lent again unless it lost its daemon or was interrupted.

        A request that was interrupted before it was answered ends with its connection.
        """
        client, owner = self._take(), os.getpid()
        try:
            yield client
        except BaseException as error:
            self._give_back(client, owner, usable=isinstance(error, Exception) and not isinstance(error, Unavailable))
            raise
        self._give_back(client, owner, usable=True)

    def close(self) -> None:
        """Let go of the idle ones; those that are lent are closed when they come back."""
        with self._lock:
            self._open = False
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()

    def _take(self) -> Client:
        with self._lock:
            if not self._open:
                raise Refused("This connection is closed; comfyd.connect() gives a new one.")
            if self._idle:
                return self._idle.pop()
        client = Client(self._config, self._paths)
        try:
            return client.connect(start=self._start)
        except DaemonUnavailable:
            client.close()
            raise

    def _give_back(self, client: Client, owner: int, *, usable: bool) -> None:
        if os.getpid() != owner:
            _left_behind.append(client)
            return
        with self._lock:
            if usable and self._open:
                self._idle.append(client)
                return
        client.close()


def _after_fork() -> None:
    for pool in list(_pools):
        pool.forget()


os.register_at_fork(after_in_child=_after_fork)
