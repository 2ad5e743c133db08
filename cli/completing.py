"""What a shell's script asks for when Tab is pressed: ``comfyd _complete SHELL ...``, one candidate a line; starts nothing.

bash hands over its whole line, because it parts words at characters of its own; zsh and fish hand over the words.
"""

from collections.abc import Sequence

from comfyd.workflow.wording import printable

from .completion import Candidate, for_words
from .completion.known import Known
from .completion.words import typed
from .terminal import Terminal

_META = 60
_PREFIXES = "@$"


def complete(terminal: Terminal, shell: str, arguments: Sequence[str]) -> int:
    """Print the candidates; whatever goes wrong, a key press brings no error message."""
    try:
        lines = _SHELLS[shell](arguments, Known(terminal.paths))
    except Exception:
        if terminal.environ.get("COMFYD_TRACEBACK"):
            raise
        return 1
    terminal.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _bash(arguments: Sequence[str], known: Known) -> list[str]:
    point, breaks, line = arguments
    before = typed(_upto(line, int(point)))
    found = _going_on(for_words([*before.words[1:], before.word], known), before.word)
    done = "" if before.open else before.word[: max(_after(mark, before.word) for mark in breaks if not mark.isspace())]
    return [_for_bash(candidate.text, before.open).removeprefix(done) for candidate in found]


def _after(mark: str, word: str) -> int:
    """Where the part that bash replaces begins, by this mark; a prefix of bash's (``@host``) is itself part of it."""
    return max(word.rfind(mark) + (mark not in _PREFIXES), 0)


def _upto(line: str, point: int) -> str:
    """The line before the cursor, which bash counts in bytes."""
    return line.encode()[:point].decode(errors="ignore")


def _for_bash(text: str, quote: str) -> str:
    if quote:
        return text
    return "".join(character if character.isalnum() or character in "._-/+,:=@%~^" else f"\\{character}" for character in text)


def _zsh(arguments: Sequence[str], known: Known) -> list[str]:
    word = arguments[-1] if arguments else ""
    return [f"{candidate.text}\t{_meta(candidate)}" for candidate in _going_on(for_words(arguments, known), word, fuzzy=True)]


def _fish(arguments: Sequence[str], known: Known) -> list[str]:
    """The word that is typed comes after ``--``, as it stands: with its open quote."""
    at = len(arguments) - 2
    words, word = list(arguments[:at]), typed(arguments[-1]).word
    return [f"{candidate.text}\t{_meta(candidate)}" for candidate in for_words([*words, word], known)]


def _going_on(found: Sequence[Candidate], word: str, *, fuzzy: bool = False) -> list[Candidate]:
    """Those that go on with the word; where none does, the others, in bash a lone one: of several it would erase the word."""
    begun = [candidate for candidate in found if candidate.text.startswith(word)]
    return begun or (list(found) if fuzzy or len(found) == 1 else [])


def _meta(candidate: Candidate) -> str:
    text = printable(candidate.meta)
    return text if len(text) <= _META else f"{text[: _META - 1]}…"


_SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
