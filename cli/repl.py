"""The prompt ``comfy> ``: reads lines and hands them to the Session. The only module that imports prompt-toolkit."""

from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from comfyd.errors import ExitStatus

from .commands import REPL
from .completion import Candidate, candidates
from .completion.known import Known
from .connection import connected
from .main import guarded, wants_json
from .parse import unfinished
from .session import Leave, Session
from .terminal import Terminal

PROMPT = "comfy> "
MORE = "  ...> "


def open_repl(terminal: Terminal, workflow: str, *, start: bool, mode: str = "") -> int:
    """Read lines until the end; from a pipe the status is that of the last line that failed."""
    session = Session(terminal, workflow, start=start, mode=mode)
    if terminal.comfyui is not None:
        _warm_up(terminal, start=start)
    if not (terminal.stdin.isatty() and terminal.stdout.isatty()):
        return _read_pipe(session)
    if start and terminal.comfyui is None:
        guarded(terminal, lambda: _warm_up(terminal, start=True))
    terminal.note(f"{workflow}: NAME VALUE pairs run it, help explains, Ctrl-D leaves")
    return _read_terminal(session)


def _warm_up(terminal: Terminal, *, start: bool) -> int:
    """Have a daemon whose engine gets ready while the user types; raises where it has another ComfyUI than asked for."""
    with connected(terminal, start=start):
        return ExitStatus.DONE


def _read_pipe(session: Session) -> int:
    status: int = ExitStatus.DONE
    for line in _whole(session.terminal.stdin):
        try:
            ended = _guarded_line(session, line)
        except Leave:
            break
        status = ended or status
        if ended == ExitStatus.INTERRUPTED:
            break
    return status


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """The lines, those of a text between triple quotes as one."""
    before = ""
    for line in lines:
        before += line
        if not unfinished(before):
            yield before
            before = ""
    if before:
        yield before


def _guarded_line(session: Session, line: str) -> int:
    return guarded(session.terminal, lambda: session.run_line(line), json=wants_json(line.split()))


def _read_terminal(session: Session) -> int:
    ask = _prompt(session)
    while True:
        try:
            _guarded_line(session, ask())
        except (EOFError, Leave):
            return ExitStatus.DONE


class Proposals(Completer):
    """What could stand at the cursor, by the session's workflow and values."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known = Known(session.terminal.paths, REPL, workflow=session.workflow)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        self._known.workflow, self._known.values = self._session.workflow, self._session.values
        cursor = document.cursor_position
        found = candidates(document.text, cursor, self._known)
        if complete_event.completion_requested:
            found = _meant(found, document.text[:cursor])
        for each in found:
            if complete_event.completion_requested or not each.quiet:
                yield Completion(each.text, each.start - cursor, display=each.display, display_meta=each.meta)


def _meant(found: list[Candidate], typed: str) -> list[Candidate]:
    """The only one that goes on with what was typed, which Tab then inserts; else all, for the menu."""
    going_on = [each for each in found if each.text.startswith(typed[each.start :]) and each.text != typed[each.start :]]
    return going_on if len(going_on) == 1 else found


def _prompt(session: Session) -> Callable[[], str]:
    """A function that asks for the next line; an abandoned one is the empty comment ``#``."""
    reader: PromptSession[str] = PromptSession(
        history=_history(session.terminal),
        completer=Proposals(session),
        complete_in_thread=True,
        complete_while_typing=False,
        enable_suspend=True,
    )

    def ask() -> str:
        try:
            line = reader.prompt(PROMPT)
            while unfinished(line):
                line += "\n" + reader.prompt(MORE)
            return line
        except KeyboardInterrupt:
            if not reader.default_buffer.text:
                session.terminal.note("Ctrl-D or exit leaves")
            return "#"

    return ask


def _history(terminal: Terminal) -> History:
    """Lines of all sessions; prompts are nobody else's business."""
    file = terminal.paths.state / "history"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        terminal.note(f"the history is not kept: {error.strerror}")
        return InMemoryHistory()
    return FileHistory(str(file))
