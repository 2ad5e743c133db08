"""How well what was typed fits what could be meant: prefix, then the start of a word in it, then its letters in order."""

import re
from collections.abc import Iterable

from .candidate import Item

_LIMIT = 200
_SAME, _PREFIX, _CASE, _WORD, _PART, _LETTERS = range(6)


def ranked(typed: str, items: Iterable[Item], limit: int = _LIMIT) -> list[Item]:
    """The items that fit, the best first; of equally good ones those of the lower group, then in the order given."""
    rank = _Ranker(typed)
    found = [
        (item.quiet, quality, item.group, number, item)
        for number, item in enumerate(items)
        if (quality := rank(item.text)) is not None and not (item.quiet and quality >= _WORD)
    ]
    found.sort(key=lambda each: each[:4])
    return [each[4] for each in found[:limit]]


class _Ranker:
    """The quality of a text as a completion of what was typed; None where it is none."""

    def __init__(self, typed: str) -> None:
        self._typed = typed
        self._folded = typed.casefold()
        self._word = re.compile(r"(?:^|[\W_])" + re.escape(self._folded))
        letters = ".*?".join(map(re.escape, self._folded))
        self._letters = re.compile(letters, re.DOTALL) if 1 < len(typed) <= 40 else None

    def __call__(self, text: str) -> int | None:
        if text.startswith(self._typed):
            return _SAME if text == self._typed else _PREFIX
        folded = text.casefold()
        if folded.startswith(self._folded):
            return _CASE
        if self._folded in folded:
            return _WORD if self._word.search(folded) else _PART
        return _LETTERS if self._letters is not None and self._letters.search(folded) else None
