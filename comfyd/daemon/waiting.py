"""Who waits for something the worker or its start will bring: a state to be reached, or the answer to a question."""

import asyncio
import itertools
from collections.abc import Callable

from comfyd.errors import ComfydError
from comfyd.protocol import Described, Planned, Unloaded

Answer = Described | Planned | Unloaded


class Waiting:
    """Futures by what they wait for."""

    def __init__(self) -> None:
        self._conditions: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._questions: dict[int, asyncio.Future[Answer]] = {}
        self._numbers = itertools.count(1)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Return once the condition holds; it is looked at whenever ``changed`` is called."""
        if not reached():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._conditions.append((reached, future))
            await future

    def changed(self) -> None:
        """Look at all conditions again."""
        for reached, future in self._conditions:
            if not future.done() and reached():
                future.set_result(None)
        self._conditions = [(reached, future) for reached, future in self._conditions if not future.done()]

    def give_up(self, error: ComfydError) -> None:
        """No condition will come true."""
        conditions, self._conditions = self._conditions, []
        for _, future in conditions:
            if not future.done():
                future.set_exception(error)

    def question(self) -> "tuple[int, asyncio.Future[Answer]]":
        """A number for a question to the worker, and where its answer will be."""
        number = next(self._numbers)
        future = self._questions[number] = asyncio.get_running_loop().create_future()
        return number, future

    def answered(self, answer: Answer) -> None:
        """The worker has answered."""
        future = self._questions.pop(answer.request, None)
        if future is not None and not future.done():
            future.set_result(answer)

    def unanswered(self, error: ComfydError) -> None:
        """The worker is gone with all questions."""
        questions, self._questions = self._questions, {}
        for future in questions.values():
            if not future.done():
                future.set_exception(error)
