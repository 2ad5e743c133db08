"""Shows what is typed on terminals that know no control sequences (``TERM=dumb``): by writing on, and by going back."""

import termios
from collections.abc import Sequence
from typing import TextIO

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, get_common_complete_suffix
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.key_binding.key_bindings import KeyBindingsBase
from prompt_toolkit.utils import get_cwidth

from ..terminal import Terminal
from ..text import count, printable, wrapped
from .keys import bindings

_LOCAL_FLAGS = 3
_MOST = 60
"""Proposals that are listed."""


class Plain:
    """The line that is typed, as it stands on the terminal; one that shows itself what is typed, as Emacs does, is left alone."""

    def __init__(self, terminal: Terminal, prompt: str, more: str) -> None:
        self._terminal = terminal
        self._prompt, self._more = prompt, more
        self._echoes = _echoes(terminal.stdin)
        self._shown: str | None = None

    def begin(self, text: str) -> None:
        """A new prompt, after which a text stands; to be called once the terminal itself shows no keys any more."""
        self._shown = self._drawn(text) if self._echoes else ""
        self._write(self._prompt + self._shown)

    def show(self, text: str) -> None:
        """The text has changed to this; before a prompt it need not be shown."""
        drawn = self._drawn(text)
        if not self._echoes or self._shown is None or drawn == self._shown:
            return
        kept = _common(self._shown, drawn)
        gone = self._shown[kept:]
        if gone and not self._can_go_back(self._shown, gone):
            self._write("\n")
            self.begin(text)
            return
        columns = get_cwidth(gone)
        self._write("\b" * columns + " " * columns + "\b" * columns + drawn[kept:])
        self._shown = drawn

    def end(self, text: str) -> None:
        """The line has been handed in as this text, or given up."""
        if self._shown is None:
            self.begin(text)
        if self._echoes:
            self._write("\n")
        self._shown = None

    def listed(self, found: Sequence[Completion], text: str) -> None:
        """What could be meant, and the line once more."""
        names = [completion.display_text for completion in found[:_MOST]]
        more = [f"... {count(len(found) - _MOST, 'more', 'more')}"] if len(found) > _MOST else []
        self._write("\n" + wrapped("  ".join([*names, *more]), self._terminal.columns) + "\n")
        self.begin(text)

    def keys(self, completer: Completer) -> KeyBindingsBase:
        """As everywhere, but Tab lists what could be meant."""
        keys = KeyBindings()

        @keys.add("tab", filter=has_focus(DEFAULT_BUFFER))
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            found = list(completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))
            common = get_common_complete_suffix(buffer.document, found)
            if len(found) == 1:
                buffer.apply_completion(found[0])
            elif common:
                buffer.insert_text(common)
            elif found:
                self.listed(found, buffer.text)

        return merge_key_bindings([bindings(completer), keys])

    def _can_go_back(self, shown: str, gone: str) -> bool:
        """No terminal goes back to the line above."""
        return "\n" not in gone and get_cwidth((self._prompt + shown).rpartition("\n")[2]) < self._terminal.columns

    def _drawn(self, text: str) -> str:
        return f"\n{self._more}".join(map(printable, text.split("\n")))

    def _write(self, text: str) -> None:
        self._terminal.stdout.write(text)
        self._terminal.stdout.flush()


def _common(one: str, other: str) -> int:
    """How many characters they begin alike with."""
    differing = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def _echoes(stdin: TextIO) -> bool:
    try:
        return bool(termios.tcgetattr(stdin)[_LOCAL_FLAGS] & termios.ECHO)
    except termios.error:
        return True
