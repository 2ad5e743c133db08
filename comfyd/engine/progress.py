"""How a long step reports: what it does, and how far it is where that is known."""

from collections.abc import Callable

Progress = Callable[[str, float | None], None]
"""Called with a sentence and a fraction from 0 to 1 or None; what it raises ends the step, cleanly."""


def silent(message: str, fraction: float | None) -> None:
    """Report to nobody."""
