"""Binds overrides into a graph and proves that the result can run, before a job exists."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from comfyd.errors import InvalidValue, MissingModel, Refused
from comfyd.protocol import Graph

from .check import check, refused
from .classes.catalogue import Catalogue
from .graph.copying import copied, own_copy
from .graph.following import value_at
from .graph.wiring import Address, Wiring, wrapped
from .naming.address import Names, canonical
from .naming.words import overrides as pairs
from .values.constants import Rejected
from .values.reading import is_relative, read, relative
from .wording import shown

_TEXTS = frozenset({"prompt", "negative"})
_MARKS = ("{", "\\", "//", "/*")
"""Without one of these a text has nothing to draw."""


class Bound(msgspec.Struct, frozen=True):
    """A graph that can run, sharing nothing with the one it came from."""

    graph: Graph
    """Overrides applied, constants converted as ComfyUI converts them, ``ignored`` output nodes left out."""
    overrides: dict[str, Any]
    """Canonical address (``5.seed``) -> typed value."""
    ignored: dict[str, str] = {}
    """Output nodes that cannot run while others can (ComfyUI passes over them too), with the reason."""


def bind(
    graph: Graph,
    overrides: Sequence[tuple[str, Any]],
    catalogue: Catalogue,
    *,
    words: Sequence[str] = (),
    aliases: Mapping[str, str] | None = None,
    last: Mapping[str, Any] | None = None,
    draws: bool = False,
) -> Bound:
    """Apply overrides and then typed words, and check the whole graph; linear in its size.

    ``aliases`` are the user's own names. ``last`` holds the overrides of the run before, which a relative seed counts
    from. Choices in texts are drawn in what is given and, with ``draws``, in the workflow's own texts.
    Raises UnknownNode, UnknownParameter, AmbiguousParameter, InvalidValue, MissingModel, UsageError or WorkflowInvalid.
    Where an older catalogue may be the cause, the error's ``classes`` name those to look at anew.
    """
    new = own_copy(graph)
    binding = _Binding(Wiring(new, catalogue), aliases or {}, last or {})
    for name, value in [*overrides, *pairs(words, binding.names)]:
        binding.apply(name, copied(value))
    binding.draw(everything=draws)
    ignored = check(binding.wiring, binding.stale)
    for id_ in ignored:
        del new[id_]
    return Bound(new, {canonical(address): copied(value) for address, value in binding.applied.items()}, ignored)


def applied(
    graph: Graph, overrides: Sequence[tuple[str, Any]], catalogue: Catalogue, aliases: Mapping[str, str] | None = None
) -> Graph:
    """The graph with values as they stand, to be kept: nothing is drawn, and a seed that would be random stays what it is.

    Values that only a newer catalogue could have are taken. Raises what ``bind`` refuses the others with.
    """
    new = own_copy(graph)
    binding = _Binding(Wiring(new, catalogue), aliases or {}, {})
    for name, value in overrides:
        if not binding.is_relative_seed(name, value):
            binding.apply(name, copied(value))
    return own_copy(new)


def draft(
    graph: Graph,
    overrides: Sequence[tuple[str, Any]],
    catalogue: Catalogue,
    *,
    words: Sequence[str] = (),
    aliases: Mapping[str, str] | None = None,
) -> tuple[Graph, list[Refused]]:
    """The graph with overrides and then typed words applied and nothing else changed, and all that a run would be refused for.

    Raises UnknownNode, and what ``bind`` refuses the values with, but for files, which may come later.
    """
    new = own_copy(graph)
    binding = _Binding(Wiring(new, catalogue), aliases or {}, {})
    for name, value in [*overrides, *pairs(words, binding.names)]:
        binding.apply(name, value)
    for error in binding.stale:
        if not (isinstance(error, MissingModel | InvalidValue) and error.file):
            raise error
    binding.draw(everything=False)
    result = own_copy(new)
    faults: list[Refused] = []
    try:
        check(binding.wiring, faults)
    except Refused as error:
        return result, faults or [error]
    return result, []


class _Binding:
    """A graph that takes values, and what was refused only because of choices that may be out of date."""

    def __init__(self, wiring: Wiring, aliases: Mapping[str, str], last: Mapping[str, Any]) -> None:
        self.wiring = wiring
        self.names = Names(wiring, aliases)
        self.last = last
        self.stale: list[Refused] = []
        self.applied: dict[Address, Any] = {}
        self._texts: set[Address] = set()

    def apply(self, name: str, value: Any) -> None:
        """Put a value into all that the name stands for; raises what it is refused with."""
        group = self.names.find(name)
        value = self._seed(name, group[0], value)
        for address in group:
            self._put(name, address, value)
        if name.rpartition(".")[2] in _TEXTS:
            self._texts.update(group)

    def is_relative_seed(self, name: str, value: Any) -> bool:
        """Whether this is ``random``, ``+1`` or ``-1`` for a seed."""
        if not (isinstance(value, str) and is_relative(value)):
            return False
        return self.names.is_seed(name, self.names.input(self.names.find(name)[0]))

    def draw(self, *, everything: bool) -> None:
        """Draw the choices in the texts given or, with ``everything``, in all that the editor would draw."""
        own = set(self._all_texts()) if everything else set()
        given = {address for address in self.applied if address in self._texts or self.names.input(address).draws}
        texts = [address for address in {**dict.fromkeys(own), **dict.fromkeys(given)} if self._has_choices(address)]
        if not texts:
            return
        from .values.draws import drawn

        seed = self._drawing_seed()
        for address in texts:
            text = self.wiring.inputs[address[0]][address[1]] = drawn(value_at(self.wiring, address), seed)
            if address in self.applied:
                self.applied[address] = text

    def _put(self, name: str, address: Address, value: Any) -> None:
        id_, input_ = address
        try:
            value = read(self.names.input(address), value)
        except Rejected as rejected:
            self._collect(refused(_subject(self.wiring, name, address), rejected, self.wiring.classes[id_].name), rejected)
        self.wiring.inputs[id_][input_] = wrapped(value)
        self.applied[address] = value

    def _collect(self, error: Refused, cause: Rejected) -> None:
        if not error.classes:
            raise error from cause
        self.stale.append(error)

    def _seed(self, name: str, address: Address, value: Any) -> Any:
        """A seed given as ``random`` or relative to the last one, as a number."""
        if not self.is_relative_seed(name, value):
            return value
        spec = self.names.input(address)
        before = self.last.get(canonical(address), value_at(self.wiring, address))
        try:
            return relative(value, before, spec)
        except Rejected as rejected:
            raise refused(_subject(self.wiring, name, address), rejected, "") from rejected

    def _drawing_seed(self) -> int:
        """The workflow's seed, the first of several; 0 where it has none."""
        found = self.names.groups("seed")
        value = value_at(self.wiring, found[0][0]) if found else 0
        return value if isinstance(value, int) else 0

    def _all_texts(self) -> Iterator[Address]:
        for id_ in self.wiring.graph:
            for name, spec in self.wiring.specs(id_).items():
                if spec.draws and name in self.wiring.inputs[id_]:
                    yield id_, name

    def _has_choices(self, address: Address) -> bool:
        text = value_at(self.wiring, address)
        return isinstance(text, str) and any(mark in text for mark in _MARKS)


def _subject(wiring: Wiring, name: str, address: Address) -> str:
    label = wiring.label(address)
    return label if name == canonical(address) else f"{shown(name)}, which is {label},"
