"""Requests that cannot be answered at once: each has a task, which ends with its answer or with its client."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

from comfyd.errors import ComfydError
from comfyd.protocol import EngineInfo, EngineState

from .clients import Caller, Clients

log = logging.getLogger("comfyd.daemon")


class Pending:
    """The tasks, and who of their callers is told how the engine's start comes along."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._tasks: dict[Caller, asyncio.Task[None]] = {}
        self._told: set[Caller] = set()

    def begin(self, caller: Caller, work: Coroutine[Any, Any, None]) -> None:
        """Work at an answer; a client that vanishes meanwhile wants none."""

        async def answer() -> None:
            with self.refusing(caller):
                await work

        task = self._tasks[caller] = asyncio.create_task(answer())
        task.add_done_callback(lambda _: self._tasks.pop(caller, None))

    @contextlib.contextmanager
    def refusing(self, caller: Caller) -> Iterator[None]:
        """End the request with whatever error arises."""
        try:
            yield
        except ComfydError as error:
            self._clients.refuse(caller, error)
        except Exception as error:
            log.exception("a request failed")
            self._clients.refuse(caller, ComfydError(f"The daemon failed ({error!r}); `comfyd logs` has the details."))

    @contextlib.contextmanager
    def told_of(self, engine: EngineInfo, caller: Caller) -> Iterator[None]:
        """Tell the caller how the engine's start comes along, unless it is ready anyway."""
        if engine.state != "ready":
            self._clients.send(caller, EngineState(engine=engine))
            self._told.add(caller)
        try:
            yield
        finally:
            self._told.discard(caller)

    def tell(self, engine: EngineInfo) -> None:
        """The engine's start has come further."""
        for caller in list(self._told):
            self._clients.send(caller, EngineState(engine=engine))

    def drop(self, connection: bytes) -> None:
        """The client behind a connection is gone."""
        for caller, task in list(self._tasks.items()):
            if caller.connection == connection and task is not asyncio.current_task():
                task.cancel()

    async def finish(self, limit: float) -> None:
        """Wait for the answers that are about to be given."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=limit)
