"""A REPL's line up to the cursor, parted as ``parse.split`` parts it, its last word unfinished; and quoting for it."""

import re
from typing import NamedTuple

_TRIPLE = '"""'
_PLAIN = re.compile(r"[\w@%+=:,./~^-]+")


class Typed(NamedTuple):
    """What stands before the cursor."""

    words: list[str]
    """Finished ones, unquoted."""
    word: str
    """The one that the cursor ends, unquoted; may be empty."""
    start: int
    """Where it begins, its quote included."""
    open: str = ""
    """The quote it is inside of."""


class Part(NamedTuple):
    """A word where it stands in the line."""

    word: str
    start: int
    end: int
    open: str = ""
    """The quote that is not closed, so that the word goes to the end of the line."""


def parts(text: str) -> list[Part]:
    """All words of a REPL's line with their places."""
    found: list[Part] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return found
        word, end, quote = _word(text, at, prose=True)
        found.append(Part(word, at, end, quote))
        at = end


def typed(text: str, *, prose: bool = False) -> Typed:
    """The words of the text, the last one open; ``prose``: an apostrophe after a letter is none that quotes, as in a REPL."""
    words: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        word, end, quote = _word(text, at, prose)
        if end >= len(text) and (quote or end > at or at >= len(text)) and not (end > at and text[-1:].isspace() and not quote):
            return Typed(words, word, at, quote)
        words.append(word)
        at = end


def _word(text: str, at: int, prose: bool) -> tuple[str, int, str]:
    """The word that begins here, where it ends, and the quote that is open there."""
    parts: list[str] = []
    quote = ""
    while at < len(text):
        here = text[at]
        if not quote and text.startswith(_TRIPLE, at):
            close = text.find(_TRIPLE, at + 3)
            parts.append(text[at + 3 : close if close >= 0 else len(text)].removeprefix("\n"))
            if close < 0:
                return "".join(parts), len(text), _TRIPLE
            parts[-1] = parts[-1].removesuffix("\n")
            at = close + 3
            continue
        if not quote and here.isspace():
            break
        if here == "\\" and quote != "'" and at + 1 < len(text):
            parts.append(text[at + 1] if not quote or text[at + 1] in '"\\' else text[at : at + 2])
            at += 2
            continue
        if here == quote or (not quote and here in "\"'" and not (prose and here == "'" and text[at - 1 : at].isalnum())):
            quote = "" if quote else here
        else:
            parts.append(here)
        at += 1
    return "".join(parts), at, quote


def quoted(text: str) -> str:
    """The text as one word of a line."""
    if _PLAIN.fullmatch(text):
        return text
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "'\"'\"'") + "'"


def quoted_address(title: str, input_: str) -> str:
    """``"Node title".input``."""
    return f"{quoted(title)}.{input_}"
