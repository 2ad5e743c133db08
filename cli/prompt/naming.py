"""Values by address as somebody would type them: the shortest names, words quoted as needed. Pure."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from comfyd.errors import ComfydError

if TYPE_CHECKING:
    from ..completion.index import Index

_CHOICE = re.compile(r"[{}|]")


def named(values: Mapping[str, Any], index: "Index | None", names: Iterable[str] = ()) -> list[tuple[str, Any]]:
    """Each value once: by one of these names where it has one, else by its first alias, else by its address."""
    found: list[tuple[str, Any]] = []
    left = dict(values)
    for name in [*names, *_aliases(left, index)]:
        group = _group(index, name)
        if group and all(address in left for address in group) and len({repr(left[address]) for address in group}) == 1:
            found.append((name, left[group[0]]))
            for address in group:
                del left[address]
    return [*found, *left.items()]


def _aliases(values: Mapping[str, Any], index: "Index | None") -> Iterator[str]:
    for address in values:
        parameter = index.parameter(address) if index is not None else None
        if parameter is not None and parameter.aliases:
            yield parameter.aliases[0]


def _group(index: "Index | None", name: str) -> list[str]:
    """The addresses that a name sets."""
    if index is None:
        return []
    try:
        return [".".join(address) for address in index.names.find(name)]
    except ComfydError:
        return []


def line(values: Iterable[tuple[str, Any]], quoted: Callable[[str], str]) -> str:
    """``name value`` pairs, each word quoted by this rule."""
    return " ".join(f"{quoted(name)} {quoted(written(value))}" for name, value in values)


def written(value: Any) -> str:
    """A value as text that is read as that value: no choice is drawn from a text again."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return _CHOICE.sub(r"\\\g<0>", value) if "{" in value or "\\" in value else value
