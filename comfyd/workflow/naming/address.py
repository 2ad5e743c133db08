"""From what somebody typed before a value to the parameters it names.

In this order: a name the user gave, an alias, ``id.input`` or ``title.input``, an alias of one of several
(``prompt.2``, ``lora.1.strength``), an alias of one sampler, called by its id, title or what it is (``base.seed``).
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Self

from comfyd.errors import AmbiguousParameter, ComfydError, UnknownParameter
from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.classes.nodeclass import Input
from comfyd.workflow.graph.copying import own_copy
from comfyd.workflow.graph.following import base_name, settable
from comfyd.workflow.graph.prompts import Group
from comfyd.workflow.graph.samplers import SEEDS
from comfyd.workflow.graph.wiring import Address, Wiring, is_link
from comfyd.workflow.wording import listed, plain, shown

from .aliases import ALIASES, Aliases, name_of


class Names:
    """The names of one graph's parameters; ``own`` are its user's: name -> address or another name."""

    def __init__(self, wiring: Wiring, own: Mapping[str, str] | None = None) -> None:
        self.wiring = wiring
        self.own = own or {}
        self.aliases = Aliases(wiring)

    @classmethod
    def of(cls, graph: Graph, catalogue: Catalogue, own: Mapping[str, str] | None = None) -> Self:
        """Of a graph, which is not touched; raises UnknownNode or WorkflowInvalid."""
        return cls(Wiring(own_copy(graph), catalogue), own)

    def find(self, name: str) -> Group:
        """The parameters that this name sets; raises UnknownParameter or AmbiguousParameter."""
        if name in self.own:
            return self._own(name)
        groups = self.groups(name)
        if len(groups) > 1:
            raise self._ambiguous(name, groups)
        if groups:
            return groups[0]
        fed = [self.aliases.fed(name)] if name in ALIASES else self._inputs(name)
        if fed and fed[0] is not None:
            raise _fed(self.wiring, fed[0])
        if name in ALIASES:
            bare = self._called(name)
            fix = f"did you mean {listed(bare, 3)}?" if bare else "address an input as NODE_ID.input instead."
            raise UnknownParameter(f"Nothing in this workflow answers to {shown(name)}; {fix}")
        raise self.unknown(name)

    def groups(self, name: str) -> list[Group]:
        """What the name can stand for and somebody can set, own names apart: nothing, one group, or several."""
        if name in ALIASES and (found := self.aliases.targets(name)):
            return found
        if "." not in name:
            return []
        found = [(address,) for address in map(self._settable, self._inputs(name)) if address is not None]
        return found or self.aliases.numbered(name) or self._of_sampler(name)

    def spec(self, name: str) -> Input | None:
        """The input that the name's value is for, the first of several; None where it names none."""
        groups = self.groups(self.own.get(name, name))
        if groups:
            return self.input(groups[0][0])
        fed = self._inputs(name) if "." in name else []
        return self.input(fed[0]) if fed else None

    def input(self, address: Address) -> Input:
        """The input as its class declares it; one it does not declare is like the value it holds."""
        id_, name = address
        return self.wiring.specs(id_).get(name) or _undeclared(name, self.wiring.inputs[id_].get(name))

    def is_name(self, name: str) -> bool:
        """Whether it is a name by itself, be there an input for it or not."""
        return name in self.own or name in ALIASES

    def is_seed(self, name: str, spec: Input) -> bool:
        """Whether the value of that name is a seed, so that it may be random or relative to the last."""
        called = (self.own.get(name, name), spec.name)
        return spec.kind == "INT" and any(base_name(one) in SEEDS for one in called)

    def unknown(self, name: str) -> UnknownParameter:
        """The error of a name that means nothing here, with the nearest that does."""
        from comfyd.workflow.nearest import nearest

        bare = self._called(name)
        if bare:
            return UnknownParameter(f"Unknown parameter {shown(name)}; did you mean {listed(bare, 3)}?")
        found = nearest(name, self._known())
        fix = f"did you mean {shown(found)}?" if found else "give an alias such as prompt or seed, or NODE_ID.input."
        return UnknownParameter(f"Unknown parameter {shown(name)}; {fix}")

    def _called(self, name: str) -> list[str]:
        """The addresses of the inputs of this name, whatever node they belong to."""
        wiring = self.wiring
        return [canonical((id_, name)) for id_ in wiring.graph if wiring.holds_value((id_, name)) and _has(wiring, (id_, name))]

    def _own(self, name: str) -> Group:
        address = self.own[name]
        try:
            groups = self.groups(address)
        except ComfydError:
            groups = []
        if len(groups) != 1:
            why = "names several inputs" if groups else "names no input that can be set"
            raise UnknownParameter(
                f"The alias {shown(name)} stands for {shown(address)}, which {why} in this workflow; give it another address."
            )
        return groups[0]

    def _inputs(self, name: str) -> list[Address]:
        """The inputs that ``id.input`` names, or else ``title.input``."""
        parts = list(_splits(name))
        found = [(id_, input_) for id_, input_ in parts if id_ in self.wiring.graph and _has(self.wiring, (id_, input_))]
        return found or [
            (id_, input_)
            for title, input_ in parts
            for id_ in self._titles.get(title.casefold(), ())
            if _has(self.wiring, (id_, input_))
        ]

    def _of_sampler(self, name: str) -> list[Group]:
        for called, alias in _splits(name):
            if alias in ALIASES:
                samplers = self.aliases.samplers
                titled = [id_ for id_ in self._titles.get(called.casefold(), ()) if id_ in samplers.ids]
                ids = [called] if called in samplers.ids else titled
                named = samplers.names.get(called)
                if named is not None and not ids:
                    ids = [named]
                if found := [group for id_ in ids for group in self.aliases.of(id_, alias)]:
                    return list(dict.fromkeys(found))
        return []

    @cached_property
    def _titles(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for id_ in self.wiring.graph:
            found.setdefault(self.wiring.title(id_).casefold(), []).append(id_)
        return found

    def _settable(self, address: Address) -> Address | None:
        return settable(self.wiring, address)

    def _ambiguous(self, name: str, groups: list[Group]) -> ComfydError:
        choices = [canonical(address) for group in groups for address in group]
        if name in ALIASES:
            choices = [f"{name_of(name, n)} ({', '.join(map(canonical, group))})" for n, group in enumerate(groups, 1)]
        return AmbiguousParameter(f"{shown(name)} fits several parameters; give one of {listed(choices)}.")

    def _known(self) -> Iterator[str]:
        yield from self.own
        with suppress(ComfydError):  # nodes in a cycle have no aliases
            yield from [alias for alias in ALIASES if self.aliases.targets(alias)]
        for id_ in self.wiring.graph:
            for input_ in self.wiring.specs(id_):
                if self.wiring.holds_value((id_, input_)):
                    yield canonical((id_, input_))
                    yield f"{self.wiring.title(id_)}.{input_}"


def canonical(address: Address) -> str:
    """``5.seed``."""
    return ".".join(address)


def _undeclared(name: str, current: object) -> Input:
    kind = {str: "STRING", bool: "BOOLEAN", int: "INT", float: "FLOAT"}.get(type(current), "*")
    return Input(name=name, type=kind, kind=kind)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Every way to part a name at a dot: ids, titles and input names may all hold dots themselves."""
    parts = name.split(".")
    for i in range(1, min(len(parts), 20)):
        yield ".".join(parts[:i]), ".".join(parts[i:])


def _has(wiring: Wiring, address: Address) -> bool:
    return address[1] in wiring.inputs[address[0]] or address[1] in wiring.specs(address[0])


def _fed(wiring: Wiring, address: Address) -> UnknownParameter:
    """The error of an input that no value can be typed into."""
    value = wiring.inputs[address[0]].get(address[1])
    if not is_link(value) or value[0] not in wiring.graph:
        return UnknownParameter(f"{wiring.label(address)} takes a link and not a value; set an input of the node you link to it.")
    feeder = value[0]
    names = [canonical((feeder, name)) for name in wiring.specs(feeder) if wiring.holds_value((feeder, name))]
    fix = f"set {'one of ' * (len(names) > 1)}{listed(names)} instead." if names else "set an input further up instead."
    return UnknownParameter(
        f"{wiring.label(address)} is fed by node {plain(feeder)} ({plain(wiring.classes[feeder].name)}); {fix}"
    )
