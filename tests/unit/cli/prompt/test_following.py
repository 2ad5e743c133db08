"""A job that outlives its daemon, with a client made of messages."""

from typing import Any

import pytest
from comfyd_cli.display import Silent
from comfyd_cli.prompt.following import Heard, follow

from comfyd.errors import DaemonUnavailable
from comfyd.protocol import Accepted, Done, Submit, Watch
from tests.unit.cli.conftest import Recorded

DONE = Done(job=7, seconds=0.6, executed=[], nodes_total=7, files=[], peak_memory=0)


class Mortal:
    """A client whose daemon ends as often as it is told."""

    def __init__(self, deaths: int, *, accepts: bool = True) -> None:
        self.deaths, self.accepts = deaths, accepts
        self.asked: list[Any] = []

    def stream(self, request: Any) -> Any:
        self.asked.append(request)
        if isinstance(request, Submit) and self.accepts:
            yield Accepted(job=7, position=0, overrides={"5.seed": 1})
        if self.deaths:
            self.deaths -= 1
            raise DaemonUnavailable("gone")
        yield DONE

    def connect(self, start: bool) -> None:
        assert start


def test_it_is_followed_at_the_next_daemon(terminal: Recorded):
    client, heard = Mortal(2), Heard(Silent)
    outcome = follow(client, Submit(api={}), heard, terminal, start=True)  # type: ignore[arg-type]
    assert outcome.end == DONE
    assert client.asked[1:] == [Watch(job=7), Watch(job=7)]
    assert heard.overrides == {"5.seed": 1}
    assert "job 7" in terminal.err_lines[0]


@pytest.mark.parametrize(("client", "start"), [(Mortal(9), True), (Mortal(1), False), (Mortal(1, accepts=False), True)])
def test_not_for_ever_nor_where_none_may_start_nor_without_a_job(client: Any, start: bool, terminal: Recorded):
    with pytest.raises(DaemonUnavailable):
        follow(client, Submit(api={}), Heard(Silent), terminal, start=start)
