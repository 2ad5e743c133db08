"""Asks for lines: the editor with its menu, colours, history and toolbar around one prompt-toolkit session."""

from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.output import DummyOutput

from .keys import bindings
from .lexer import Marker
from .looks import depth, style, theme
from .past import history
from .plain import Plain
from .proposals import Proposals
from .session import Session
from .toolbar import toolbar
from .watching import Watcher

PROMPT = "comfy> "
MORE = "  ...> "
_ROWS = 8


class Reader:
    """One line after the other; the daemon is looked after, and the workflow read, beside the typing."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._terminal = session.terminal
        self._marker = Marker(session)
        self._plain = Plain(self._terminal, PROMPT, MORE) if self._terminal.dumb else None
        self._prompt = self._made() if self._plain is None else self._made_plain(self._plain)
        self._watcher = Watcher(session.terminal, start=session.start, changed=self._redraw, say=self._say)
        self._due, self._over = Event(), False
        self._learner = Thread(target=self._learn, name="parameters", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over = True
        self._due.set()
        self._watcher.close()

    def read(self) -> str:
        """The next line, an abandoned one as the comment ``#``; raises EOFError at Ctrl-D."""
        default, self._session.edit_line = self._session.edit_line, ""
        try:
            return self._line(default)
        except KeyboardInterrupt:
            if not self._prompt.default_buffer.text:
                self._terminal.note("Ctrl-D or exit leaves")
            return "#"
        finally:
            self._watcher.rest()

    def _line(self, default: str) -> str:
        try:
            return self._prompt.prompt(default=default, pre_run=self._begin)
        finally:
            if self._plain is not None:
                self._plain.end(self._prompt.default_buffer.text)

    def _made(self) -> "PromptSession[str]":
        colours = self._terminal.colours(self._terminal.stdout)
        proposals = Proposals(self._session)
        return PromptSession(
            [("class:prompt", PROMPT)],
            multiline=True,
            prompt_continuation=_continuation,
            lexer=self._marker,
            completer=proposals,
            complete_in_thread=True,
            complete_while_typing=True,
            reserve_space_for_menu=_ROWS,
            auto_suggest=AutoSuggestFromHistory(),
            history=history(self._terminal),
            bottom_toolbar=self._toolbar,
            style=style(theme(self._terminal.config.theme, self._terminal.environ), colours=colours),
            include_default_pygments_style=False,
            color_depth=depth(colours=colours),
            key_bindings=bindings(proposals),
            enable_open_in_editor=True,
            enable_suspend=True,
            search_ignore_case=True,
        )

    def _made_plain(self, plain: Plain) -> "PromptSession[str]":
        """The same keys and history, but nothing that is drawn."""
        prompt: PromptSession[str] = PromptSession(
            multiline=True,
            history=history(self._terminal),
            key_bindings=plain.keys(Proposals(self._session)),
            enable_suspend=True,
            output=DummyOutput(),
        )
        prompt.default_buffer.on_text_changed += lambda buffer: plain.show(buffer.text)
        return prompt

    # ------------------------------------------------------------ beside the typing

    def _begin(self) -> None:
        """The prompt is about to be drawn: whatever takes longer begins now."""
        self._session.known.workflow = self._session.workflow
        app = self._prompt.app
        app.loop.call_soon(self._begin_beside) if app.loop is not None else self._begin_beside()

    def _begin_beside(self) -> None:
        if self._plain is not None:
            self._plain.begin(self._prompt.default_buffer.text)
        self._watcher.show()
        self._due.set()
        if self._learner.ident is None:
            self._learner.start()

    def _learn(self) -> None:
        """Read the workflow's parameters when a prompt begins, as far as they have changed."""
        while not self._over:
            self._due.wait()
            self._due.clear()
            before = self._session.known.built()
            if self._session.known.index(None) is not before:
                self._redraw()

    def _toolbar(self) -> Any:
        columns = self._prompt.output.get_size().columns
        problem = self._marker.problem(self._prompt.default_buffer.text)
        mode = self._session.mode or self._terminal.config.mode
        pieces: StyleAndTextTuples = [*toolbar(self._watcher.picture, columns - 1, mode=mode, problem=problem)]
        return pieces

    def _redraw(self) -> None:
        """From another thread: draw as soon as there is time."""
        self._prompt.app.invalidate()

    def _say(self, sentence: str) -> None:
        """From another thread: a line above the prompt, what is typed staying as it is."""
        app = self._prompt.app
        loop, context = app.loop, app.context
        if loop is not None and context is not None and app.is_running:
            loop.call_soon_threadsafe(lambda: context.run(run_in_terminal, lambda: self._note(sentence)))

    def _note(self, sentence: str) -> None:
        if self._plain is None:
            self._terminal.note(sentence, dim=False)
            return
        typed = self._prompt.default_buffer.text
        self._plain.end(typed)
        self._terminal.note(sentence, dim=False)
        self._plain.begin(typed)


def _continuation(width: int, line: int, wraps: int) -> StyleAndTextTuples:
    return [("class:continuation", "" if wraps else MORE)]
