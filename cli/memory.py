"""The commands on what is resident: ps, unload."""

import time
from collections.abc import Sequence

from comfyd.errors import ExitStatus, UsageError
from comfyd.protocol import PsReply, PsRequest, Resident, Unload, UnloadReply

from .connection import ANSWER_LIMIT, connected
from .terminal import Terminal
from .text import ago, size

HEADERS = ("NAME", "KIND", "SIZE", "DEVICE", "LAST USED")


def ps(terminal: Terminal, *, json: bool, no_start: bool) -> int:
    """List what the worker holds between jobs."""
    with connected(terminal, start=not no_start) as client:
        reply = client.call(PsRequest(), ANSWER_LIMIT)
    assert isinstance(reply, PsReply)
    if json:
        terminal.json(reply)
    else:
        _show(reply, terminal)
    return ExitStatus.DONE


def _show(reply: PsReply, terminal: Terminal) -> None:
    from .table import show

    if reply.residents:
        found = rows(reply.residents, time.time())
        show(terminal, HEADERS, found, numbers=("SIZE",), flexible=("NAME",), optional=("DEVICE", "LAST USED"))
    else:
        terminal.note(
            "Nothing is resident."
            if reply.engine.state == "ready"
            else f"Nothing is resident: the engine is {reply.engine.state}."
        )
    if reply.engine.memory:
        from .layout import memory

        terminal.note(memory(reply.engine.memory))


def rows(residents: Sequence[Resident], now: float) -> list[list[str]]:
    """Cells of ``ps``."""
    return [
        [
            resident.name,
            f"{resident.kind}: {resident.note}" if resident.note else resident.kind,
            size(resident.size),
            resident.device,
            "in use" if resident.in_use else ago(now - resident.last_used),
        ]
        for resident in residents
    ]


def unload(terminal: Terminal, *, names: Sequence[str], everything: bool, json: bool, no_start: bool) -> int:
    """Let go of residents."""
    if bool(names) == everything:
        raise UsageError("unload needs either NAMEs, as comfyd ps shows them, or --all.")
    with connected(terminal, start=not no_start) as client:
        reply = client.call(Unload(names=list(names), everything=everything))
    assert isinstance(reply, UnloadReply)
    if json:
        terminal.json(reply)
    else:
        terminal.out(f"freed {size(reply.freed)}" + (f": {', '.join(reply.names)}" if reply.names else ""))
    return ExitStatus.DONE
