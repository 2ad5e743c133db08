"""What a command is made of: its arguments and options, as data."""

from msgspec import Struct


class Argument(Struct, frozen=True, kw_only=True):
    """A positional argument; ``kind`` says how it is read, and what could complete it."""

    name: str
    help: str
    kind: str = "text"
    """``text``, ``number``, ``workflow``, ``stored`` (a named one), ``job`` (a number), ``resident``, ``path``, ``picture`` (a
    file that carries a workflow), ``command``, ``topic`` (a command or a parameter), ``set`` (a parameter that was set),
    ``parameter`` (a name), ``parameters`` (names and values), or ``line`` (all the rest, options of its own included)."""
    metavar: str = ""
    required: bool = True
    many: bool = False
    several: bool = False
    """Whether each value may stand for several, as in a sweep: ``1..8``, ``4,6``."""


class Option(Struct, frozen=True, kw_only=True):
    """An option; a switch where ``metavar`` is empty."""

    name: str
    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    kind: str = "text"
    """``text``, ``number`` (at least 1), ``path`` or ``workflow``."""
    default: str | int | None = None
    choices: tuple[str, ...] = ()
    """Its values, for completion; the command itself refuses others."""


class Command(Struct, frozen=True, kw_only=True):
    """One command, with all that its help says."""

    name: str
    group: str
    summary: str
    handler: str
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    environment: tuple[str, ...] = ()
    details: str = ""
    examples: tuple[str, ...] = ()
    where: str = "both"
    """``shell``, ``repl`` or ``both``; the handler of a command of the REPL alone takes the Session instead of the Terminal."""
