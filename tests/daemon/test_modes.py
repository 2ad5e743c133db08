"""Which mode a job is made in: asked for by the job, else the daemon's; told in its end and in its record."""

import pytest

from comfyd.client import Client
from comfyd.errors import InvalidValue
from comfyd.protocol import Done, HistoryRequest, JobRecord, JobsReply, QueueRequest, Submit, Watch
from tests.daemon_process import DaemonProcess, detach, graph


def records(client: Client, request: HistoryRequest | QueueRequest) -> list[JobRecord]:
    reply = client.call(request)
    assert isinstance(reply, JobsReply)
    return reply.jobs


def made(client: Client, mode: str) -> str:
    done = client.call(Submit(api=graph("Echo", text=mode), mode=mode))
    assert isinstance(done, Done)
    return done.mode


def test_the_daemons_mode_counts_where_the_job_has_none(daemon: DaemonProcess) -> None:
    with daemon.start(mode="fast").client() as client:
        assert [made(client, mode) for mode in ("", "exact", "fast")] == ["fast", "exact", "fast"]
        assert [record.mode for record in records(client, HistoryRequest())] == ["fast", "exact", "fast"]


def test_a_job_that_waits_keeps_its_mode(daemon: DaemonProcess) -> None:
    with daemon.start(max_running=1).client() as client:
        detach(client, graph("WaitFor", path=str(daemon.file("go"))))
        waiting = client.call(Submit(api=graph("Echo", text="x"), mode="fast", follow=False))
        assert [record.mode for record in records(client, QueueRequest())] == ["exact", "fast"]
    daemon.kill()
    daemon.file("go").touch()
    with daemon.start(max_running=1).client() as client:
        done = client.call(Watch(job=waiting.job))  # type: ignore[union-attr]
        assert isinstance(done, Done)
        assert done.mode == "fast"


def test_another_mode_is_refused(client: Client) -> None:
    with pytest.raises(InvalidValue, match="There is no mode 'turbo'"):
        client.call(Submit(api=graph("Echo", text="x"), mode="turbo"))
