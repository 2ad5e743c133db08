"""The one-shot command that makes a run's result again. Pure."""

from collections.abc import Iterable, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any

from .naming import line, named, written

if TYPE_CHECKING:
    from ..completion.index import Index


def command(
    workflow: str, overrides: Mapping[str, Any], index: "Index | None", *, names: Iterable[str] = (), mode: str = ""
) -> str:
    """``comfyd run demo prompt 'a red fox' seed 42``: values as the run took them, seeds and choices drawn."""
    pairs = named(overrides, index, names)
    parts = ["comfyd run", quote(workflow)]
    if mode:
        parts.append(f"--mode {mode}")
    if any(_looks_like_an_option(written(value)) for _, value in pairs):
        parts.append("--")
    return " ".join([*parts, line(pairs, quote)]).rstrip()


def _looks_like_an_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not (word[1].isdecimal() or word[1] == "." or any(map(str.isspace, word)))
