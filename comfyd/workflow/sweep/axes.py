"""What is typed for a sweep, ``seed 1..8 cfg 4,6,8``, as the values of each parameter and all their combinations. Pure.

A number takes ranges (``1..8``, ``0.5..1:0.1``) and lists of both, a choice a list of names, a seed ``random*4``. A text holds
its commas itself: several come as a JSON array (``["a fox", "an owl"]``) or from a file with one to a line (``@prompts.txt``),
and so may the values of any other parameter.
"""

import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec

from comfyd.errors import UsageError
from comfyd.workflow.check import refused
from comfyd.workflow.classes.nodeclass import Input
from comfyd.workflow.graph.prompts import Group
from comfyd.workflow.naming.address import Names, canonical
from comfyd.workflow.naming.words import overrides
from comfyd.workflow.values.constants import Rejected
from comfyd.workflow.values.reading import fits, is_relative, read, relative
from comfyd.workflow.wording import plain, shown

MOST = 100_000
"""Combinations, and values of one parameter, beyond which a sweep is a slip of the finger."""

_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}))?", re.ASCII)
_DRAWN = re.compile(r"random\*(\d{1,6})", re.ASCII)

Files = Callable[[str], list[str]]
"""The texts that ``@NAME`` or a pattern of files (``in/*.png``) stands for; raises what is wrong with it."""


class Axis(msgspec.Struct, frozen=True):
    """One parameter with the values that it is to have, of its input's type."""

    name: str
    """As it was typed."""
    addresses: Group
    values: tuple[Any, ...]


Combination = tuple[Any, ...]
"""A value for each axis."""


def no_files(name: str) -> list[str]:
    """For what reads no files."""
    raise UsageError(f"{shown(name)} names a file, which cannot be read here; give the values themselves.")


def axes(words: Sequence[str], given: Sequence[tuple[str, Any]], names: Names, files: Files = no_files) -> list[Axis]:
    """The axes of what is given and then of what was typed; of two for one parameter that counts which was typed.

    A value given that is a list or a range is several. Raises UsageError, UnknownParameter or InvalidValue.
    """
    typed = [_axis(name, text, names, files) for name, text in overrides(words, names, takes)]
    _refuse_twice(typed)
    taken = {address for axis in typed for address in axis.addresses}
    before = [_axis(name, value, names, files) for name, value in given]
    return [*(axis for axis in before if not taken.intersection(axis.addresses)), *typed]


def takes(spec: Input, text: str, /, *, seed: bool = False) -> bool:
    """Whether the text is a value, or several, that the input takes."""
    if fits(spec, text, seed=seed) or (text.startswith("@") and len(text) > 1):
        return True
    return all(_RANGE.fullmatch(part) or (seed and _DRAWN.fullmatch(part)) or fits(spec, part) for part in text.split(","))


def rejection(spec: Input, text: str, *, seed: bool = False) -> str:
    """Why the input takes no such value or values, as the predicate of a sentence; empty where it does. Reads no file."""
    try:
        for one in _several(spec, text, lambda _: [], seed=seed):
            _value(spec, one, seed=seed)
    except Rejected as rejected:
        return str(rejected)
    return ""


def combinations(axes: Sequence[Axis], *, paired: bool = False) -> list[Combination]:
    """Every combination once, the last axis changing fastest; ``paired`` takes the first values together, then the second.

    Raises UsageError where there are more than ``MOST``, or what is to be paired is not equally many.
    """
    if not paired:
        if (total := math.prod(len(axis.values) for axis in axes)) > MOST:
            raise UsageError(f"That is {total:,} combinations, and a sweep has at most {MOST:,}; give fewer values.")
        return _distinct(itertools.product(*(axis.values for axis in axes)))
    counts = {axis.name: len(axis.values) for axis in axes if len(axis.values) > 1}
    if len(set(counts.values())) > 1:
        told = " and ".join(f"{plain(name)} has {count}" for name, count in counts.items())
        raise UsageError(f"--zip pairs the values one by one, but {told}; give equally many, or leave out --zip.")
    length = max(counts.values(), default=1)
    return _distinct(zip(*(axis.values if len(axis.values) > 1 else axis.values * length for axis in axes), strict=True))


def varying(axes: Sequence[Axis], combinations: Sequence[Combination]) -> list[int]:
    """The positions of the axes that have more than one value."""
    return [at for at in range(len(axes)) if len({repr(one[at]) for one in combinations}) > 1]


def _distinct(all_: "itertools.product[Any] | zip[Any]") -> list[Combination]:
    return list({repr(one): one for one in all_}.values())


def _refuse_twice(axes: Sequence[Axis]) -> None:
    seen: dict[Any, str] = {}
    for axis in axes:
        for address in axis.addresses:
            if address in seen:
                other = f" as {shown(seen[address])}" if seen[address] != axis.name else ""
                raise UsageError(f"{shown(axis.name)} is given before{other}; give all its values at once, such as 1,2,5..9.")
            seen[address] = axis.name


def _axis(name: str, given: Any, names: Names, files: Files) -> Axis:
    addresses = names.find(name)
    spec = names.input(addresses[0])
    seed = names.is_seed(name, spec)
    several = list(itertools.islice(given, MOST + 1)) if isinstance(given, list | tuple | range) else None
    try:
        found = several if several is not None else _several(spec, given, files, seed=seed)
        values = [_value(spec, one, seed=seed) for one in found]
    except Rejected as rejected:
        label = names.wiring.label(addresses[0])
        subject = label if name == canonical(addresses[0]) else f"{shown(name)}, which is {label},"
        raise refused(subject, rejected, "") from rejected
    if not values or len(values) > MOST:
        raise UsageError(f"{shown(name)} has {'no value' if not values else f'more than {MOST:,} values'}; give it some.")
    return Axis(name, addresses, tuple(values))


def _value(spec: Input, one: Any, *, seed: bool) -> Any:
    """A value of the input's type; files, and what only an older catalogue refuses, are left to those who look again."""
    if seed and isinstance(one, str) and is_relative(one):
        if one != "random":
            raise Rejected(f"counts from another run with {shown(one)}; in a sweep give numbers, a range or random*4.")
        return relative(one, 0, spec)
    if spec.uploads:
        return one
    try:
        return read(spec, one)
    except Rejected as rejected:
        if rejected.stale:
            return one
        raise


def _several(spec: Input, text: Any, files: Files, *, seed: bool) -> list[Any]:
    """The values that the text stands for, not yet read by the input's type."""
    if not isinstance(text, str):
        return [text]
    if text.startswith("@") and len(text) > 1 and not any(map(str.isspace, text)):
        return _listed(files(text), spec)
    if (listed := _array(text)) is not None:
        return listed
    if spec.kind == "STRING" or text in spec.known or (fits(spec, text, seed=seed) and not (spec.uploads and "," in text)):
        return files(text) if _is_pattern(spec, text) else [text]
    parts = [part.strip() for part in text.split(",")]
    return [one for part in parts for one in _expanded(spec, part, files, seed=seed)]


def _listed(texts: list[str], spec: Input) -> list[Any]:
    """A file's values; numbers may stand there as they are typed."""
    if spec.kind == "STRING":
        return list(texts)
    return [one for text in texts for one in _expanded(spec, text, no_files, seed=False)]


def _array(text: str) -> list[Any] | None:
    """The values of a JSON array of texts and numbers."""
    if text.lstrip()[:1] != "[":
        return None
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        if isinstance(found, list) and found and all(isinstance(one, str | int | float) for one in found):
            return found
    return None


def _is_pattern(spec: Input, text: str) -> bool:
    return spec.uploads and any(mark in text for mark in "*?")


def _expanded(spec: Input, part: str, files: Files, *, seed: bool) -> list[Any]:
    if seed and (drawn := _DRAWN.fullmatch(part)):
        return _drawn(spec, int(drawn[1]))
    if spec.kind in ("INT", "FLOAT") and (found := _RANGE.fullmatch(part)):
        return list(_range(spec, part, *found.groups()))
    if _is_pattern(spec, part):
        return list(files(part))
    return [part]


def _drawn(spec: Input, count: int) -> list[int]:
    """So many different random seeds."""
    found: dict[int, None] = {}
    for _ in range(2 * min(count, MOST + 1)):
        if len(found) == count:
            break
        found[relative("random", 0, spec)] = None
    return list(found)


def _range(spec: Input, text: str, first: str, last: str, step: str | None) -> Iterator[int | float]:
    """From the first number to the last, which counts where a step falls on it; in decimal, so that 0.1 is a tenth."""
    low, high = Decimal(first), Decimal(last)
    whole = low == low.to_integral_value() and high == high.to_integral_value()
    if step is None and not whole:
        raise Rejected(f"needs a step for {shown(text)}, such as {first}..{last}:0.1.")
    by = abs(Decimal(step)) if step is not None else Decimal(1)
    if not by:
        raise Rejected(f"cannot go from {first} to {last} in steps of 0; give another step.")
    if spec.kind == "INT" and (not whole or by != by.to_integral_value()):
        raise Rejected(f"takes whole numbers, which {shown(text)} is not made of.")
    count = int(abs(high - low) / by) + 1
    if count > MOST:
        raise Rejected(f"has {count:,} values in {shown(text)}, and a sweep at most {MOST:,}; give a larger step.")
    by = by if high >= low else -by
    return ((int if spec.kind == "INT" else float)(low + by * at) for at in range(count))
