"""What an error of SQLite means for the journal, and what a person can do about it. Pure."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

_CAUSES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda text: "full" in text or "no space" in text, "has no space left; free some on its disk and try again"),
    (lambda text: "readonly" in text or "read-only" in text, "cannot be written; make it writable for you and try again"),
    (lambda text: "permission" in text or "unable to open" in text, "cannot be opened; check the permissions of its directory"),
    (lambda text: "locked" in text, "is locked by another program; close that program and try again"),
    (lambda text: "newer comfyd" in text, "was written by a newer comfyd; update comfyd, or move the file away"),
)

READ_ONLY = sqlite3.OperationalError("attempt to write a readonly database")
"""What SQLite itself says where only reading is allowed."""


def sentence(file: Path, error: Exception) -> str:
    """What is wrong with the file, and what mends it."""
    text = str(error).lower()
    for fits, sentence in _CAUSES:
        if fits(text):
            return f"The journal {file} {sentence}."
    return f"The journal {file} failed ({error}); `comfyd logs` has more, and `comfyd stop && comfyd start` opens it anew."


def is_damage(error: Exception) -> bool:
    """Whether the file's content is no journal any longer."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    return any(words in str(error).lower() for words in ("not a database", "malformed", "no such table"))


def is_refusal(error: Exception) -> bool:
    """Whether only writing failed: the file was read-only when it was opened."""
    return "readonly" in str(error).lower()


def is_io(error: Exception) -> bool:
    """Whether a system call failed, and SQLite does not say which."""
    return "disk i/o error" in str(error).lower()


def is_passing(error: Exception) -> bool:
    """Whether the connection is as good as before: no room for a page, or another program's turn."""
    return isinstance(error, sqlite3.OperationalError) and any(words in str(error).lower() for words in ("is full", "is locked"))
