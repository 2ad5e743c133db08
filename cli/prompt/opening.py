"""Opens the prompt: on a terminal it reads what is typed, from a pipe the lines of a script."""

from comfyd.errors import ExitStatus

from ..connection import connected
from ..terminal import Terminal
from .script import run_guarded, run_lines
from .session import Leave, Session


def open_repl(terminal: Terminal, workflow: str, *, start: bool, mode: str = "") -> int:
    """Read lines until the end, or from a pipe up to the first that fails."""
    session = Session(terminal, workflow, start=start, mode=mode)
    if terminal.comfyui is not None:
        with connected(terminal, start=start):
            pass  # raises where the daemon that runs has another ComfyUI than asked for
    if not (terminal.stdin.isatty() and terminal.stdout.isatty()):
        return run_lines(session, terminal.stdin, "stdin")
    session.interactive = True
    return _read_terminal(session)


def _read_terminal(session: Session) -> int:
    from ..keyboard import CONTROL, unechoed
    from .reader import Reader

    terminal = session.terminal
    terminal.note(f"{session.workflow}: NAME VALUE pairs run it, help explains, Tab completes, Ctrl-D leaves")
    with Reader(session) as reader:
        while True:
            try:
                line = reader.read()
                with unechoed(terminal.stdin, CONTROL):
                    run_guarded(session, line)
            except (EOFError, Leave):
                break
    if session.left_running:
        _tell_left(session)
    return ExitStatus.DONE


def _tell_left(session: Session) -> None:
    """What goes on without this prompt."""
    jobs = session.left_running
    which = f"job {jobs[0]} was" if len(jobs) == 1 else f"jobs {', '.join(map(str, jobs))} were"
    session.terminal.note(f"{which} left with the daemon; comfyd watch {jobs[-1]} follows, comfyd queue lists what has not ended")
