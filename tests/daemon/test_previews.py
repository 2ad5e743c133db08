"""Previews go to who asked for them and looks at them, and to nobody else."""

from pathlib import Path

from comfyd.client import Client
from comfyd.protocol import Done, Message, Preview, Started, Submit, Watch
from tests.daemon_process import DaemonProcess, final, graph, read_to, wait_until


def pictures(gate: Path, count: int, *, preview: bool) -> Submit:
    """A job that makes as many, as long as they are wanted."""
    return Submit(api=graph("Pictures", count=count, path=str(gate)), workflow="pictures", preview=preview)


def let(gate: Path, number: int) -> None:
    """The preview after this one may be made."""
    gate.with_name(f"{gate.name}.{number}").touch()


def seen(messages: list[Message]) -> list[int]:
    return [message.value for message in messages if isinstance(message, Preview)]


def test_who_reads_is_shown_all_of_them(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    stream = client.stream(pictures(gate, 5, preview=True))
    for number in range(1, 6):
        preview = read_to(stream, Preview)
        assert (preview.value, preview.data) == (number, bytes([number]) * 12)
        let(gate, number)
    assert isinstance(final(stream), Done)


def test_one_who_watches_may_see_what_one_who_submitted_does_not(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    let(gate, 1)
    stream = client.stream(pictures(gate, 2, preview=False))
    job = read_to(stream, Started).job
    with daemon.client() as other:
        assert seen(list(other.stream(Watch(job=job, preview=True)))) == [1, 2]
    assert seen(list(stream)) == []


def test_one_who_does_not_read_is_sent_two(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    for number in range(1, 50):
        let(gate, number)
    with daemon.client() as idle:
        unread = idle.stream(pictures(gate, 50, preview=True))
        wait_until(lambda: daemon.paths.data.joinpath("watched").exists(), "a job that is watched")
        assert isinstance(client.call(Watch(job=1)), Done)
        assert seen(list(unread)) == [1, 2]


def test_when_the_last_one_leaves_no_more_are_made(daemon: DaemonProcess, client: Client) -> None:
    gate = daemon.file("gate")
    with daemon.client() as leaving:
        assert read_to(leaving.stream(pictures(gate, 9, preview=True)), Preview).value == 1
    let(gate, 1)
    wait_until(lambda: daemon.paths.data.joinpath("unwatched").exists(), "the end of previews")
    for number in range(2, 9):
        let(gate, number)
    gate.touch()
    done = client.call(Watch(job=1))
    assert isinstance(done, Done)
    assert done.outputs == {"1": {"text": ["2"]}}
