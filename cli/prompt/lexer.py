"""The line in colours, and what is wrong in it: both by the marks, which are made once for each state of the line."""

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from ..commands import REPL
from .marks import Marked, marked
from .session import Session


class Marker(Lexer):
    """Marks by what is known by now of the workflow: no key press waits for a catalogue."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: object = None
        self._marked = Marked([])

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The styled pieces of each row."""
        rows = _rows(document.text, self.marked(document.text))
        return lambda number: rows[number] if number < len(rows) else []

    def problem(self, text: str) -> str:
        """What is wrong with the line, in a sentence."""
        return self.marked(text).problem

    def marked(self, text: str) -> Marked:
        """The line's marks; whatever goes wrong, typing goes on."""
        index = self._session.known.built()
        if self._seen != (text, id(index)):
            self._seen = (text, id(index))
            try:
                self._marked = marked(text, REPL, index)
            except Exception:
                self._marked = Marked([])
                if self._session.terminal.environ.get("COMFYD_TRACEBACK"):
                    raise
        return self._marked

    def invalidation_hash(self) -> object:
        """Changes when the same text would be marked otherwise."""
        return id(self._session.known.built())


def _rows(text: str, found: Marked) -> list[StyleAndTextTuples]:
    rows: list[StyleAndTextTuples] = [[]]
    at = 0
    for mark in [*found.marks, None]:
        begin, end = (mark.start, mark.end) if mark is not None else (len(text), len(text))
        _add(rows, "", text[at:begin])
        if mark is not None:
            _add(rows, f"class:{mark.kind}", text[begin:end])
        at = end
    return rows


def _add(rows: list[StyleAndTextTuples], style: str, text: str) -> None:
    first, *others = text.split("\n")
    rows[-1].append((style, first))
    rows.extend([(style, piece)] for piece in others)
