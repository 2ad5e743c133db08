"""What a sweep is to make: its combinations in the order in which they run, each with the key it is known by again."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from comfyd.protocol import Graph
from comfyd.workflow.naming.address import canonical
from comfyd.workflow.sweep.axes import Axis, Combination

_VALUE, _STEM = 40, 180
"""Characters of a value, and bytes of a whole name, which leaves room for a number and a suffix."""
_UNSAFE = re.compile(r"[^\w.+-]+")


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One combination."""

    number: int
    """From 1, in the order in which they run."""
    values: dict[str, Any]
    """Of the parameters that vary, by the names that were typed."""
    overrides: list[tuple[str, Any]]
    """Of all."""
    key: str
    """The same for the same graph with the same values, whatever else is in the sweep."""
    stem: str
    """Its files' name without suffix: ``seed=1,cfg=4``."""

    @property
    def label(self) -> str:
        """``seed 1 · cfg 4``."""
        return " · ".join(f"{name} {text(value)}" for name, value in self.values.items())


def points(axes: Sequence[Axis], combinations: Sequence[Combination], vary: Sequence[int], digest: str) -> list[Point]:
    """The combinations with their keys and names; ``vary`` are the positions of the axes that do."""
    values = [{axes[at].name: one[at] for at in vary} for one in combinations]
    stems = unique(stem(each) for each in values)
    return [
        Point(
            number=number,
            values=each,
            overrides=[(axis.name, value) for axis, value in zip(axes, one, strict=True)],
            key=_key(digest, axes, one),
            stem=name,
        )
        for number, (one, each, name) in enumerate(zip(combinations, values, stems, strict=True), 1)
    ]


def digest(graph: Graph, *more: str) -> str:
    """The graph's content, titles and places apart, and whatever else rules what is made of it."""
    bare = {id_: {name: part for name, part in node.items() if name != "_meta"} for id_, node in graph.items()}
    return _hash([bare, *more])


def _key(digest: str, axes: Sequence[Axis], one: Combination) -> str:
    set_ = {canonical(address): value for axis, value in zip(axes, one, strict=True) for address in axis.addresses}
    return _hash([digest, sorted(set_.items())])


def _hash(value: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(value, order="sorted"), digest_size=12).hexdigest()


def stem(values: dict[str, Any]) -> str:
    """A name of safe characters; empty values and names too long are shortened."""
    whole = ",".join(f"{_safe(name)}={_safe(text(value))}" for name, value in values.items()) or "picture"
    while len(whole.encode()) > _STEM:
        whole = whole[:-1]
    return whole


def unique(stems: Iterator[str]) -> list[str]:
    """The names, numbered where they would be the same, also to a file system without cases."""
    taken: set[str] = set()
    found = []
    for one in stems:
        name, number = one, 1
        while name.casefold() in taken:
            number += 1
            name = f"{one}~{number}"
        taken.add(name.casefold())
        found.append(name)
    return found


def _safe(part: str) -> str:
    return _UNSAFE.sub("-", part[: 4 * _VALUE]).strip("-.")[:_VALUE] or "none"


def text(value: Any) -> str:
    """A value as it is typed: ``4`` for 4.0."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
