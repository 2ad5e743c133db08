"""Lines that nobody edits: a file's or a pipe's, in the language of the prompt, up to the first that fails."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from comfyd.errors import ExitStatus, UsageError
from comfyd.workflow.wording import plain, shown

from ..main import guarded, wants_json
from ..parse import unfinished
from ..terminal import Terminal
from .session import Leave, Session

_DEEPEST = 20


def source(session: Session, *, file: str, keep_going: bool, json: bool) -> int:
    """Run a file's lines in this session; ``exit`` ends the file."""
    if file == "-" and (session.interactive or session.depth):
        raise UsageError("stdin is being read already; give source a file.")
    if session.depth >= _DEEPEST:
        raise UsageError(f"{shown(file)} is sourced by itself, or {_DEEPEST} files deep; let no script source itself.")
    before = session.json, session.interactive
    session.json, session.interactive = session.json or json, False
    session.depth += 1
    try:
        lines = session.terminal.stdin if file == "-" else _read(file)
        return run_lines(session, lines, "stdin" if file == "-" else file, keep_going=keep_going)
    finally:
        session.depth -= 1
        session.json, session.interactive = before


def from_shell(
    terminal: Terminal, *, file: str, workflow: str | None, keep_going: bool, json: bool, no_start: bool, mode: str | None
) -> int:
    """Run a file's lines, or those on stdin, in a session of their own."""
    from ..workflows import mode_of

    session = Session(terminal, workflow or "demo", start=not no_start, mode=mode_of(mode))
    return source(session, file=file, keep_going=keep_going, json=json)


def _read(file: str) -> list[str]:
    """The file's lines; raises UsageError."""
    path = Path(file).expanduser()
    try:
        if not path.is_file() and not path.is_fifo():
            raise UsageError(f"There is no script {shown(file)}; source takes a file of lines as they are typed at the prompt.")
        return path.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError as error:
        raise UsageError(f"{shown(file)} cannot be read ({error.strerror}); check its permissions.") from error
    except UnicodeError as error:
        raise UsageError(f"{shown(file)} is no UTF-8 text; source takes lines as they are typed at the prompt.") from error


def run_lines(session: Session, lines: Iterable[str], name: str, *, keep_going: bool = False) -> int:
    """Run them in turn; the status is that of the first that fails, or with ``keep_going`` of the last that did."""
    status: int = ExitStatus.DONE
    for number, line in whole(lines):
        if not line.strip():
            continue  # it parts what is read; a run is worth a word
        try:
            ended = run_guarded(session, line)
        except Leave:
            break
        status = ended or status
        stops = ended == ExitStatus.INTERRUPTED or not keep_going
        if ended:
            _tell_place(session, name, number, line, "stopped at" if stops else "failed, going on after")
            if stops:
                break
    return status


def run_guarded(session: Session, line: str) -> int:
    """One line, whatever goes wrong being told here; raises Leave."""
    return guarded(session.terminal, lambda: session.run_line(line), json=session.json or wants_json(line.split()))


def _tell_place(session: Session, name: str, number: int, line: str, what: str) -> None:
    first = line.strip().split("\n")[0]
    session.terminal.note(f"{plain(name)}:{number}: {what} {shown(first)}", dim=False)


def whole(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines with the number of their first; those of a text between triple quotes as one."""
    before, begun = "", 1
    for number, line in enumerate(lines, 1):
        if not before:
            begun = number
        before += line
        if before.lstrip().startswith("#") or not unfinished(before):
            yield begun, before.removesuffix("\n")
            before = ""
    if before:
        yield begun, before
