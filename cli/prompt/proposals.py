"""Completion in prompt-toolkit's terms; asked for in a thread of its own, so that typing waits for no file."""

import re
from collections.abc import Iterator, Mapping

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ..completion import Candidate, candidates
from ..completion.index import described
from .session import Session
from .values import by_address

_LONG = 48


class Proposals(Completer):
    """What could stand at the cursor, by the session's workflow and values."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        known, cursor = self._session.known, document.cursor_position
        known.workflow, known.values = self._session.workflow, self._session.values
        asked = complete_event.completion_requested
        if not asked and not document.text[:cursor].strip():
            return
        found = candidates(document.text, cursor, known)
        now = by_address(self._session)
        for each in _meant(found, document.text[:cursor]) if asked else _while_typing(found, document.text[:cursor]):
            meta = self._meta(each, now) if each.kind == "parameter" else each.meta
            yield Completion(each.text, each.start - cursor, display=_cut(each.display), display_meta=_cut(meta))

    def _meta(self, parameter: Candidate, now: Mapping[str, str]) -> str:
        """What is said of a parameter, with the value it has in this session."""
        index = self._session.known.built()
        found = index.parameter(parameter.display) if index is not None else None
        return described(found, now[found.address]) if found is not None and found.address in now else parameter.meta


def _meant(found: list[Candidate], typed: str) -> list[Candidate]:
    """For Tab: the only one that goes on with what was typed, which it then inserts; else all, for the menu."""
    going_on = [each for each in found if each.text.startswith(typed[each.start :]) and each.text != typed[each.start :]]
    return going_on if len(going_on) == 1 else found


def _while_typing(found: list[Candidate], typed: str) -> list[Candidate]:
    """For somebody who types: no more than what goes on with the word, or where none is begun the values that are due."""
    word = typed[found[0].start :] if found else ""
    if not word:
        return [each for each in found if each.kind == "value" and not each.quiet]
    if any(each.text == word for each in found):
        return []
    begun = re.compile(r"(?:^|[\W_])" + re.escape(word.lstrip("\"'")), re.IGNORECASE)
    return [each for each in found if not each.quiet and begun.search(each.display)]


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
