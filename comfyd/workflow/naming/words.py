"""Pairs what was typed after a workflow into names and values, by the parameters the workflow has.

A name comes first. A value is one word, but a text goes on until a known name is followed by a value that fits it:
``prompt a seed in the soil seed 42`` is a prompt of six words and a seed. A word with blanks in it was quoted, and one
that follows a text's name is that text.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from comfyd.errors import Refused, UnknownParameter, UsageError
from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.classes.nodeclass import Input
from comfyd.workflow.values.reading import fits
from comfyd.workflow.wording import plain, shown

from .address import Names

Pairs = list[tuple[str, str]]


class Takes(Protocol):
    """Whether text is such as an input takes; ``seed`` says that it may be random."""

    def __call__(self, spec: Input, text: str, /, *, seed: bool = False) -> bool: ...


def pairs_of(words: Sequence[str], graph: Graph, catalogue: Catalogue, aliases: Mapping[str, str] | None = None) -> Pairs:
    """The pairs by this graph's parameters; raises UsageError or UnknownParameter, or what is wrong with the graph."""
    return overrides(words, Names.of(graph, catalogue, aliases))


def overrides(words: Sequence[str], names: Names, takes: Takes = fits) -> Pairs:
    """The pairs, which hold every word in its order; raises UsageError or UnknownParameter, naming the pairs so far.

    ``takes`` judges by its value whether a name within a text begins another pair.
    """
    found: Pairs = []
    at = 0
    while at < len(words):
        name = words[at]
        spec = names.spec(name)
        if spec is None and not names.is_name(name):
            raise _no_name(name, found, names)
        if at + 1 == len(words):
            raise UsageError(f"{_after(found)}{shown(name)} has no value; parameters are pairs (seed 42).")
        end = end_of_text(words, at + 1, names, takes) if spec is not None and spec.kind == "STRING" else at + 2
        if end == at + 1:
            next_ = f"{plain(words[at + 1])} {shown(words[at + 2])}"
            raise UsageError(f"{_after(found)}{shown(name)} has no text before {next_}; put quotes around a text that begins so.")
        found.append((name, " ".join(words[at + 1 : end])))
        at = end
    return found


def end_of_text(words: Sequence[str], first: int, names: Names, takes: Takes = fits) -> int:
    """Where the text that begins at ``first`` ends: the position after its last word."""
    if not words[first] or _quoted(words[first]):
        return first + 1
    rest = range(first, len(words) - 1)
    return next((at for at in rest if not _quoted(words[at]) and _begins(words, at, names, takes)), len(words))


def _begins(words: Sequence[str], at: int, names: Names, takes: Takes) -> bool:
    """Whether a name stands here whose value would fit."""
    spec = names.spec(words[at])
    return spec is not None and takes(spec, words[at + 1], seed=names.is_seed(words[at], spec))


def _quoted(word: str) -> bool:
    return any(character.isspace() for character in word)


def _no_name(name: str, found: Pairs, names: Names) -> Refused:
    key, equals, value = name.partition("=")
    if equals and key.replace("_", "").replace(".", "").isalnum():
        return UsageError(f"Write {shown(f'{key} {value}')} instead of {shown(name)}: names and values are separated by a space.")
    unknown = names.unknown(name)
    return UnknownParameter(_after(found) + unknown.message[0].lower() + unknown.message[1:]) if found else unknown


def _after(found: Pairs) -> str:
    """How what came before was understood, which shows where a quote is missing."""
    if not found:
        return ""
    return f"After {', '.join(f'{plain(name)} {shown(value)}' for name, value in found[-3:])}: "
