"""The command every: another one again and again, until Ctrl-C."""

import time
from collections.abc import Sequence

from comfyd.errors import ExitStatus, UsageError
from comfyd.workflow.wording import shown

from ..main import guarded
from .session import Session

_LONGEST = 86400.0


def every(session: Session, *, seconds: str, line: Sequence[str]) -> int:
    """Repeat a line; a daemon that is away for a while is waited for, anything refused ends it."""
    pause = _seconds(seconds)
    terminal = session.terminal
    if not line:
        raise UsageError("every needs a command to repeat, such as: every 2 ps.")
    try:
        while True:
            terminal.note(f"every {seconds} s: {' '.join(line)}   {time.strftime('%H:%M:%S')}   Ctrl-C ends it")
            status = guarded(terminal, lambda: session.run_tokens(line), json=session.json)
            if status in (ExitStatus.REFUSED, ExitStatus.INTERRUPTED):
                return ExitStatus.DONE if status == ExitStatus.INTERRUPTED else status
            time.sleep(pause)
    except KeyboardInterrupt:
        return ExitStatus.DONE


def _seconds(text: str) -> float:
    try:
        pause = float(text)
    except ValueError:
        pause = 0.0
    if not 0.1 <= pause <= _LONGEST:
        raise UsageError(f"every takes seconds from 0.1 to {_LONGEST:g}, not {shown(text)}.")
    return pause
