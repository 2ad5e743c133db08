"""The command open: a file in the desktop's viewer."""

import shutil
import sys
from pathlib import Path

from comfyd.errors import ExitStatus, FileNotUsable, UsageError
from comfyd.protocol import HistoryRequest, JobsReply
from comfyd.workflow.wording import shown

from ..connection import ANSWER_LIMIT, connected
from ..terminal import Terminal
from .session import Session


def open_(session: Session, *, file: str | None) -> int:
    """Open the file, or the first that the last run made; where there is no viewer, say where it is."""
    path = Path(file).expanduser() if file else _last(session)
    if not path.exists():
        raise FileNotUsable(f"There is no file {shown(str(path))}; history names those that were made.")
    viewer = _viewer(session.terminal)
    session.terminal.foreign(str(path))
    if viewer is None:
        session.terminal.note("there is no desktop here to show it")
    else:
        _start([viewer, str(path)])
    return ExitStatus.DONE


def _last(session: Session) -> Path:
    if session.last_files:
        return Path(session.last_files[0])
    with connected(session.terminal, start=session.start) as client:
        reply = client.call(HistoryRequest(limit=1, states=["done"]), ANSWER_LIMIT)
    assert isinstance(reply, JobsReply)
    if not reply.jobs or not reply.jobs[0].files:
        raise UsageError("No run has made a file yet; open takes the path of one.")
    return Path(reply.jobs[0].files[0])


def _viewer(terminal: Terminal) -> str | None:
    """The program that opens files on this desktop, if there is one."""
    if sys.platform == "darwin":
        return shutil.which("open")
    has_desktop = terminal.environ.get("DISPLAY") or terminal.environ.get("WAYLAND_DISPLAY")
    return shutil.which("xdg-open") if has_desktop else None


def _start(command: list[str]) -> None:
    """On its own: it neither writes here nor ends with Ctrl-C."""
    import subprocess

    nowhere = subprocess.DEVNULL
    subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
