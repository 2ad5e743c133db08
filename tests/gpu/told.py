"""What a daemon tells of its worker's graphs."""

import re

from comfyd.protocol import PsReply, PsRequest, Resident, Unload
from tests.daemon_process import DaemonProcess, wait_until


def graphs(process: DaemonProcess) -> list[Resident]:
    """As ``ps`` tells them; the worker sends a list of now before it answers that it has let go of something."""
    with process.client() as client:
        client.call(Unload(names=["results"]))
    return last_told(process)


def last_told(process: DaemonProcess) -> list[Resident]:
    """Those that the worker has told the daemon of by itself: it is not disturbed."""
    with process.client() as client:
        reply = client.call(PsRequest())
    assert isinstance(reply, PsReply)
    return [resident for resident in reply.residents if resident.kind == "graph"]


def replays(process: DaemonProcess, label: str) -> int:
    """Of all graphs of calls of this class."""
    return sum(count for _, count in _counts(graphs(process), label))


def wait_for_idle_captures(process: DaemonProcess, label: str, least: int = 1) -> None:
    """Until there are so many graphs of calls of this class; the worker is left in peace meanwhile."""
    wait_until(lambda: sum(count for count, _ in _counts(last_told(process), label)) >= least, f"{least} graphs of {label}")


def _counts(residents: list[Resident], label: str) -> list[tuple[int, int]]:
    """Graphs and their replays, model by model."""
    notes = [re.fullmatch(rf"{re.escape(label)}, (\d+) captured, (\d+) replays", resident.note) for resident in residents]
    return [(int(note[1]), int(note[2])) for note in notes if note]
