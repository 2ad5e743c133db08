"""An answer that takes a while: what comes before it is shown, and the display is closed however it ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from comfyd_cli.connection import answered

from comfyd.errors import DaemonUnavailable
from comfyd.protocol import Accepted, EngineInfo, EngineState, PlannedMemory, PlanReply, PlanRequest, Submit, ToClient

WARMING = EngineState(engine=EngineInfo(state="starting"))
ACCEPTED = Accepted(job=1, position=0)


class Shown:
    previews = False

    def __init__(self) -> None:
        self.messages: list[ToClient] = []
        self.closed = False

    def show(self, message: ToClient) -> None:
        self.messages.append(message)

    def close(self) -> None:
        self.closed = True


class Daemon:
    def __init__(self, *messages: Any) -> None:
        self._messages = messages

    def stream(self, _: Any) -> Iterator[Any]:
        for message in self._messages:
            if isinstance(message, BaseException):
                raise message
            yield message


@pytest.mark.parametrize(
    ("request_", "final"),
    [
        (Submit(api={}, follow=False), ACCEPTED),
        (PlanRequest(api={}), PlanReply(workflow="x", engine="ready", overrides={}, nodes=[], memory=PlannedMemory())),
    ],
)
def test_the_answer_itself_is_not_shown(request_: Any, final: ToClient) -> None:
    shown = Shown()
    assert answered(Daemon(WARMING, final), request_, shown) is final  # type: ignore[arg-type]
    assert (shown.messages, shown.closed) == ([WARMING], True)


@pytest.mark.parametrize("end", [DaemonUnavailable("gone"), KeyboardInterrupt()])
def test_without_an_answer_the_display_is_closed(end: BaseException) -> None:
    shown = Shown()
    with pytest.raises(type(end)):
        answered(Daemon(WARMING, end), PlanRequest(api={}), shown)  # type: ignore[arg-type]
    assert (shown.messages, shown.closed) == ([WARMING], True)
