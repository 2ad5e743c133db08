"""Following a job: its end, and Ctrl-C on the way, with a client made of messages."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from comfyd_cli.display import Silent
from comfyd_cli.follow import Outcome, report, run_job, watch_job

from comfyd.protocol import Accepted, Cancel, Cancelled, CancelReply, Done, ErrorInfo, Failed, Submit, Watch

from .conftest import Recorded

DONE = Done(job=7, seconds=0.61, executed=["5", "6", "7"], nodes_total=7, files=["/out/a.png"], peak_memory=1288490189)


class Script:
    """A client that answers as it is told; an exception among the messages is raised."""

    def __init__(self, *messages: Any, answers: dict[type, Any] | None = None) -> None:
        self._messages = messages
        self._answers = answers or {}
        self.calls: list[Any] = []

    def stream(self, request: Any) -> Iterator[Any]:
        if type(request) in self._answers:
            self.calls.append(request)
            return self._told([self._answers[type(request)]])
        return self._told(self._messages)

    @staticmethod
    def _told(messages: Sequence[Any]) -> Iterator[Any]:
        for message in messages:
            if isinstance(message, BaseException):
                raise message
            yield message

    def call(self, request: Any) -> Any:
        self.calls.append(request)
        answer = self._answers[type(request)]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def run(client: Any, terminal: Recorded) -> Outcome:
    return run_job(client, Submit(api={}), Silent(), terminal)


def test_a_job_that_is_done(terminal: Recorded):
    outcome = run(Script(Accepted(job=7, position=0), DONE), terminal)
    assert report(outcome, terminal) == 0
    assert terminal.out_lines == ["/out/a.png"]
    assert terminal.err_lines == ["done in 0.61 s · 3 of 7 nodes · peak 1.2 GB"]


def test_quiet_and_json(terminal: Recorded):
    report(Outcome(DONE), terminal, quiet=True)
    assert (terminal.out_lines, terminal.err_lines) == (["/out/a.png"], [])
    report(Outcome(DONE), terminal, json=True)
    assert terminal.out_lines[-1].startswith('{"type":"Done","job":7')


def test_a_job_that_failed(terminal: Recorded):
    failed = Failed(job=7, error=ErrorInfo(code="node-failed", message="Node 5 failed."))
    assert report(Outcome(failed), terminal, json=True) == 1
    assert terminal.err_lines == ["comfyd: Node 5 failed."]
    assert json.loads(terminal.out_lines[-1])["error"]["code"] == "node-failed"


def test_a_job_whose_engine_is_gone(terminal: Recorded):
    failed = Failed(job=7, error=ErrorInfo(code="engine-failed", message="No engine."))
    assert report(Outcome(failed), terminal) == 3


def test_cancelled_elsewhere(terminal: Recorded):
    assert report(run(Script(Accepted(job=7, position=0), Cancelled(job=7)), terminal), terminal) == 1


def test_ctrl_c_cancels(terminal: Recorded):
    answers = {Cancel: CancelReply(job=7, state="cancelled"), Watch: Cancelled(job=7)}
    client = Script(Accepted(job=7, position=0), KeyboardInterrupt(), answers=answers)
    outcome = run(client, terminal)
    assert client.calls == [Cancel(job=7), Watch(job=7)]
    assert report(outcome, terminal) == 130


def test_ctrl_c_that_came_too_late_still_says_what_there_is(terminal: Recorded):
    answers = {Cancel: CancelReply(job=7, state="done"), Watch: DONE}
    outcome = run(Script(Accepted(job=7, position=0), KeyboardInterrupt(), answers=answers), terminal)
    assert report(outcome, terminal) == 130
    assert terminal.out_lines == ["/out/a.png"]


def test_a_second_ctrl_c_leaves_at_once(terminal: Recorded):
    client = Script(Accepted(job=7, position=0), KeyboardInterrupt(), answers={Cancel: KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        run(client, terminal)
    assert terminal.err_lines[-1] == "left; job 7 goes on being cancelled"


def test_ctrl_c_before_there_is_a_job(terminal: Recorded):
    client = Script(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(client, terminal)
    assert client.calls == []


def test_ctrl_c_in_watch_only_leaves(terminal: Recorded):
    client: Any = Script(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        watch_job(client, 7, Silent(), terminal)
    assert client.calls == []
    assert "job 7 goes on" in terminal.err_lines[-1]
