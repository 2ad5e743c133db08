"""A workflow's parameters for completion: all names by which they go, and which of them a word is. Built once for a workflow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from comfyd.errors import ComfydError, Refused
from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.classes.nodeclass import Input
from comfyd.workflow.naming.address import Names
from comfyd.workflow.naming.parameter import Parameter, parameters_of
from comfyd.workflow.naming.words import Takes, overrides
from comfyd.workflow.values.reading import fits

from ..parameters import limits
from .candidate import Item
from .words import quoted_address

_ALIAS, _TITLE, _ID = range(3)
_LONG = 40


class Index:
    """The parameters of one graph; raises Refused where the graph is none of this catalogue's."""

    def __init__(self, graph: Graph, catalogue: Catalogue, aliases: Mapping[str, str] | None = None, workflow: str = "") -> None:
        self.workflow = workflow
        """Its name, as the journal has it."""
        self.graph, self.catalogue = graph, catalogue
        self.names = Names.of(graph, catalogue, aliases)
        wiring = self.names.wiring
        self.own = dict(aliases or {})
        """Its user's names."""
        self._parameters = {each.address: each for each in parameters_of(self.names)}
        addresses = [(id_, name) for id_ in wiring.graph for name in wiring.specs(id_)]
        named = [(id_, name, self._parameters.get(f"{id_}.{name}")) for id_, name in addresses]
        self.items = _items([_Named(id_, name, each) for id_, name, each in named if each is not None])

    @property
    def parameters(self) -> Sequence[Parameter]:
        """All of them, in the graph's order."""
        return list(self._parameters.values())

    def parameter(self, name: str) -> Parameter | None:
        """The one that a name means, the first of several."""
        try:
            group = self.names.find(name)
        except ComfydError:
            return None
        return self._parameters.get(".".join(group[0]))

    def spec(self, name: str) -> Input | None:
        """The input a name's value is for."""
        return self.names.spec(name)

    def is_seed(self, name: str) -> bool:
        """Whether the name's value may be random or relative."""
        spec = self.spec(name)
        return spec is not None and self.names.is_seed(name, spec)

    def due(self, words: Sequence[str], takes: Takes = fits) -> tuple[str | None, bool]:
        """The name whose value is due after these words, and whether a text could go on; ``(None, False)``: a name is due.

        ``takes`` judges what ends a text, as ``comfyd.workflow.naming.words`` does.
        """
        if not words:
            return None, False
        try:
            pairs = overrides(words, self.names, takes)
        except Refused:
            return (words[-1], False) if self.spec(words[-1]) is not None else (None, False)
        name, text = pairs[-1]
        spec = self.spec(name)
        if spec is None or spec.kind != "STRING" or _was_quoted(words[-1]):
            return None, False
        goes_on = self.spec(words[-1]) is not None and text != words[-1]
        return (words[-1] if goes_on else None), True


def _was_quoted(word: str) -> bool:
    return not word or any(map(str.isspace, word))


class _Named(NamedTuple):
    """A parameter with the two parts of its address, both of which may hold dots."""

    id: str
    input: str
    parameter: Parameter


def _items(found: Sequence[_Named]) -> list[Item]:
    """Aliases, then titles where they tell nodes apart, then ids."""
    titles = Counter({each.id: each.parameter.title.casefold() for each in found}.values())
    items: dict[str, Item] = {}
    for group in (_ALIAS, _TITLE, _ID):
        for each in found:
            for text, written in _written(each, group, titles):
                items.setdefault(text, Item(text, "parameter", _meta(each.parameter), group, quoted=written))
    return list(items.values())


def _written(each: _Named, group: int, titles: Mapping[str, int]) -> Sequence[tuple[str, str]]:
    """The names of one kind, each with how a REPL's line writes it where that is not as any text."""
    title = each.parameter.title
    if group == _ALIAS:
        return [(alias, "") for alias in each.parameter.aliases]
    if group == _ID:
        return [(each.parameter.address, "")]
    return [(f"{title}.{each.input}", quoted_address(title, each.input))] if titles[title.casefold()] == 1 else []


def _meta(each: Parameter) -> str:
    return described(each, each.value)


def described(each: Parameter, value: Any) -> str:
    """``INT 1 to 10000, now 20``."""
    facts = [" ".join(part for part in (each.type, limits(each)) if part), f"now {shown(value)}"]
    return ", ".join(facts)


def shown(value: Any) -> str:
    """A value in a few characters."""
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
