"""The prompt ``comfy> ``: reads lines and hands them to the Session. The only module that imports prompt-toolkit."""

from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from comfyd.errors import ComfydError, ExitStatus

from .completer import candidates
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


class Names(Completer):
    """Commands, options and the workflow's parameter names."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        try:
            names = self._session.names()
        except ComfydError:
            names = []
        word, found = candidates(document.text_before_cursor, names)
        yield from (Completion(name, start_position=-len(word)) for name in found)


def _prompt(session: Session) -> Callable[[], str]:
    """A function that asks for the next line; an abandoned one is the empty comment ``#``."""
    reader: PromptSession[str] = PromptSession(
        history=_history(session.terminal),
        completer=Names(session),
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
