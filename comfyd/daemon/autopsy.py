"""What a worker's death means for its jobs. Pure but for reading the black box."""

import signal
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

import msgspec

from comfyd.errors import EngineFailed, Stalled, WorkerCrashed
from comfyd.jobs import Death
from comfyd.protocol import BLACKBOX_SIZE

T = TypeVar("T")

_LONGEST = 300  # characters of a line that becomes part of a sentence
_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE}


class Culprit(msgspec.Struct, frozen=True):
    """The node that was executing, from the black box."""

    job: int
    node: str
    class_type: str
    title: str = ""

    def __str__(self) -> str:
        return f"node {self.node} ({self.class_type})"


class Import(msgspec.Struct, frozen=True):
    """The node pack that was being imported, from the black box."""

    pack: str


class Ended(msgspec.Struct, frozen=True):
    """How a worker's process ended: its return code, what executed or was imported then, the last lines it wrote."""

    code: int
    culprit: Culprit | None
    tail: str
    pack: str = ""

    def __str__(self) -> str:
        if self.code >= 0:
            return f"exited with status {self.code}"
        return f"was ended by {_signal_name(-self.code)}"


def prepare_blackbox(file: Path) -> None:
    """An empty black box, for a worker to map."""
    file.write_bytes(b"null\n".ljust(BLACKBOX_SIZE, b"\0"))


def read_blackbox(file: Path) -> Culprit | None:
    """The node that executed when the box was last written; None without one or where it is torn."""
    return _read(file, Culprit)


def read_import(file: Path) -> str:
    """The node pack that was being imported when the box was last written, if one was."""
    found = _read(file, Import)
    return found.pack if found else ""


def _read(file: Path, kind: type[T]) -> T | None:
    try:
        line = file.read_bytes().split(b"\n", 1)[0]
        return msgspec.json.decode(line, type=kind | None)
    except (OSError, msgspec.MsgspecError):
        return None


def is_crash(ended: Ended) -> bool:
    """Whether the process brought its end about itself; killed from outside, by a person or for memory, it did not."""
    return ended.code >= 0 or -ended.code in _CRASHES


def death(ended: Ended) -> Death:
    """A worker died by itself. Where its culprit is known the other jobs are innocent, and it does not count for them.

    One that was killed from outside may have been killed for the memory that its executing node took.
    """
    culprit = ended.culprit
    if culprit is None or not is_crash(ended):
        return Death(suspect=culprit.job if culprit else None)
    error = WorkerCrashed(
        f"The worker {ended} in {culprit} of job {culprit.job}; `comfyd logs` has its last words, "
        "and updating or removing that node's pack is the usual cure.",
        ended.tail,
    )
    return Death(frozenset([culprit.job]), error.info(), counts=False)


def to_leave_out(ended: Ended, left_out: Collection[str]) -> str:
    """The node pack without which a worker that died while it started may come further; empty: none is known, or it was tried."""
    return ended.pack if is_crash(ended) and ended.pack not in left_out else ""


def never_ready(ended: Ended) -> EngineFailed:
    """A worker died while it started."""
    if ended.pack:
        reason = f" while it imported the node pack {ended.pack}; mend, update or remove that below custom_nodes"
    else:
        reason = f" before it was ready{_last_words(ended.tail)}"
    return EngineFailed(f"The worker {ended}{reason} (`comfyd logs` has more; the next command tries again).", ended.tail)


def _last_words(tail: str) -> str:
    """The last line, or of what Python prints at a crash the one that says which."""
    lines = [line for line in tail.split("\n") if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal Python error")]
    return "".join(f": {line[:_LONGEST]}" for line in fatal[-1:] or lines[-1:])


def stall(silent: list[int], ended: Ended, deadline: float) -> Death:
    """A worker was replaced because jobs fell silent: the one that held the others up is to blame, if it is known."""
    culprit = ended.culprit
    where = f"{culprit} of job {culprit.job}" if culprit else "its node"
    error = Stalled(
        f"Nothing was heard for {deadline:g} s from {where}, and the worker was replaced; "
        "raise progress_deadline if the node needs more time.",
        ended.tail,
    )
    return Death(frozenset([culprit.job] if culprit else silent), error.info(), counts=False)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
