"""What the doctor says about one thing."""

import msgspec

OK, WARNING, PROBLEM = "ok", "warning", "problem"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line: what was looked at, how it is, what was seen, and what mends it."""

    name: str
    state: str
    """``ok``, ``warning`` (jobs run) or ``problem`` (they do not)."""
    text: str
    fix: str = ""


def ok(name: str, text: str) -> Finding:
    """Nothing is to be done."""
    return Finding(name=name, state=OK, text=text)


def warning(name: str, text: str, fix: str) -> Finding:
    """Jobs run, but somebody may be disappointed."""
    return Finding(name=name, state=WARNING, text=text, fix=fix)


def problem(name: str, text: str, fix: str) -> Finding:
    """Jobs do not run, or lose something."""
    return Finding(name=name, state=PROBLEM, text=text, fix=fix)


def counted(number: int, thing: str) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{number} {thing}" + "s" * (number != 1)
