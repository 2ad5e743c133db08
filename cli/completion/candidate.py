"""One thing that could be inserted, and the same before it is ranked."""

from msgspec import Struct


class Candidate(Struct, frozen=True):
    """A proposal for the word at the cursor, the best first in its list."""

    text: str
    """What to insert, quoted where a REPL's line needs it; a shell gets it raw."""
    start: int
    """Where what it replaces begins in the line; for a shell, in the word: always 0."""
    display: str
    """What people are shown."""
    meta: str = ""
    """Type, range and current value of a parameter, the summary of a command."""
    kind: str = ""
    """``command``, ``option``, ``workflow``, ``parameter``, ``value``, ``path``, ``job`` or ``resident``."""
    quiet: bool = False
    """Only for who asks (Tab): it would be in the way of somebody who types a text."""


class Item(Struct, frozen=True):
    """Something that could be meant, whatever has been typed of it so far."""

    text: str
    kind: str
    meta: str = ""
    group: int = 0
    """Among equally good matches the lower group comes first."""
    quiet: bool = False
    quoted: str = ""
    """How a REPL's line writes it; empty: as any text."""
