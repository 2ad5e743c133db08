"""From what was typed to what could stand at the cursor."""

from collections.abc import Sequence

from .candidate import Candidate, Item
from .context import Context
from .offers import offers
from .ranking import ranked
from .words import quoted, typed


def candidates(text: str, cursor: int, context: Context) -> list[Candidate]:
    """For a REPL's line: the best first, quoted as the line needs it. What stands after the cursor is left alone."""
    before = typed(text[:cursor], prose=True)
    items = offers(before.words, before.word, context, quoted=bool(before.open))
    return [_candidate(item, item.quoted or quoted(item.text), before.start) for item in ranked(before.word, items)]


def for_words(words: Sequence[str], context: Context) -> list[Candidate]:
    """For a shell, which has parted the words (the last one is being typed) and quotes what it inserts."""
    *before, word = words or [""]
    return [_candidate(item, item.text, 0) for item in ranked(word, offers(before, word, context))]


def _candidate(item: Item, text: str, start: int) -> Candidate:
    return Candidate(text=text, start=start, display=item.text, meta=item.meta, kind=item.kind, quiet=item.quiet)
