"""Which way of showing pictures a terminal has: what was asked for, what the environment tells, or what the terminal answers.

``kitty``, ``iterm2``, ``sixel``: pixels, by those protocols; ``blocks``: two coloured halves of a character cell; empty: none.
"""

from collections.abc import Mapping

from comfyd.errors import InvalidValue

from ..terminal import Terminal

AUTO, OFF, KITTY, ITERM2, SIXEL, BLOCKS = "auto", "off", "kitty", "iterm2", "sixel", "blocks"
CHOICES = (AUTO, KITTY, ITERM2, SIXEL, BLOCKS, OFF)

_PROGRAMS = {"iTerm.app": ITERM2, "WezTerm": ITERM2, "mintty": ITERM2, "ghostty": KITTY, "rio": ITERM2, "Apple_Terminal": BLOCKS}
_TERMS = {"xterm-kitty": KITTY, "xterm-ghostty": KITTY, "foot": SIXEL, "foot-extra": SIXEL, "mlterm": SIXEL, "contour": SIXEL}
_NO_PICTURES = ("dumb", "linux", "vt100", "vt220", "")
_BETWEEN = ("TMUX", "STY", "ZELLIJ")
"""Programs between us and the terminal, which draw what they understand themselves: cells."""


def wanted(terminal: Terminal) -> bool:
    """Whether pictures are to be shown at all, which costs nothing to find out."""
    return asked(terminal) != OFF and terminal.live and terminal.stdout.isatty() and _shows_cells(terminal)


def asked(terminal: Terminal) -> str:
    """What the command line, the environment or the settings say; raises InvalidValue."""
    choice = terminal.preview or terminal.config.preview
    if choice not in CHOICES:
        from comfyd.workflow.nearest import did_you_mean

        fix = did_you_mean(choice, CHOICES) or f"; it is one of {', '.join(CHOICES)}."
        raise InvalidValue(f"--preview is not {choice!r}{fix}")
    return choice


def _shows_cells(terminal: Terminal) -> bool:
    """Whether the terminal can show half blocks, the least there is; without colours only pixels are pictures."""
    if terminal.environ.get("TERM", "") in _NO_PICTURES:
        return False
    return (terminal.stderr.encoding or "").lower().replace("-", "") == "utf8"


def kind_of(terminal: Terminal) -> str:
    """How to show pictures here; may ask the terminal, once. Empty where none are to be shown."""
    if not wanted(terminal):
        return ""
    choice = asked(terminal)
    if choice == AUTO:
        choice = by_environment(terminal.environ) or _by_answer(terminal)
    plain = choice == BLOCKS and asked(terminal) == AUTO and not terminal.colours(terminal.stderr)
    return "" if plain else choice


def by_environment(environ: Mapping[str, str]) -> str:
    """What the variables of terminals say; empty where they leave it open."""
    if any(environ.get(name) for name in _BETWEEN) or environ.get("TERM", "").startswith(("screen", "tmux")):
        return BLOCKS
    if environ.get("KITTY_WINDOW_ID") or environ.get("GHOSTTY_RESOURCES_DIR"):
        return KITTY
    if environ.get("LC_TERMINAL") == "iTerm2":
        return ITERM2
    return _PROGRAMS.get(environ.get("TERM_PROGRAM", "")) or _TERMS.get(environ.get("TERM", ""), "")


def _by_answer(terminal: Terminal) -> str:
    from .remembered import Remembered

    memory = Remembered(terminal.paths.cache, terminal.environ)
    kind = memory.kind()
    if kind is None:
        from .question import ask

        kind = ask(terminal)
        if kind is None:
            return BLOCKS
        memory.keep(kind)
    return kind
