"""A graph with the class of each of its nodes beside it: inputs, titles and links as everything else here asks for them."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeGuard

from comfyd.errors import UnknownNode, WorkflowInvalid
from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.classes.nodeclass import Input, NodeClass
from comfyd.workflow.wording import plain, shown

from .walk import ancestors_first

Address = tuple[str, str]
"""Node id and input name."""
Link = tuple[str, str, int]
"""Input name, source id and slot."""


class Wiring:
    """One graph and its classes; raises UnknownNode when a class is missing."""

    def __init__(self, graph: Graph, catalogue: Catalogue) -> None:
        self.graph = graph
        self.inputs: dict[str, dict[str, Any]] = {id_: node.setdefault("inputs", {}) for id_, node in graph.items()}
        self.classes: dict[str, NodeClass] = _classes(graph, catalogue)
        self._links: dict[str, tuple[Link, ...]] = {}

    @cached_property
    def outputs(self) -> list[str]:
        """The ids of the output nodes, at least one; raises WorkflowInvalid."""
        found = [id_ for id_, class_ in self.classes.items() if class_.output_node]
        if not found:
            raise WorkflowInvalid("The workflow has no output node, so it would yield nothing; add one, for example SaveImage.")
        return found

    @cached_property
    def order(self) -> list[str]:
        """The nodes that outputs need, each after those it needs itself; raises WorkflowInvalid when there is a cycle."""
        return ancestors_first(self)

    def specs(self, id_: str) -> Mapping[str, Input]:
        """The inputs the node has, by name."""
        return self.classes[id_].inputs_for(self.inputs[id_])

    def links(self, id_: str) -> tuple[Link, ...]:
        """Every well-formed link to a node that exists; looked for once, as no value ever takes a link's place."""
        found = self._links.get(id_)
        if found is None:
            values = self.inputs[id_].items()
            links = ((name, value[0], value[1]) for name, value in values if is_link(value) and value[0] in self.graph)
            found = self._links[id_] = tuple(links)
        return found

    def links_of(self, id_: str, types: frozenset[str]) -> Iterator[Link]:
        """The links into inputs of one of these types."""
        specs = self.specs(id_)
        for name, source, slot in self.links(id_):
            if name in specs and specs[name].kind in types:
                yield name, source, slot

    def holds_value(self, address: Address) -> bool:
        """Whether somebody can type a value there: an input with a widget or with a constant, and not a link."""
        id_, name = address
        value = self.inputs[id_].get(name)
        if is_link(value):
            return False
        spec = self.specs(id_).get(name)
        return name in self.inputs[id_] if spec is None or not spec.is_value else True

    def title(self, id_: str) -> str:
        """What the editor shows above the node."""
        meta = self.graph[id_].get("_meta")
        title = meta.get("title") if isinstance(meta, dict) else None
        return title if isinstance(title, str) and title else self.classes[id_].display_name

    def label(self, address: Address) -> str:
        """An input for a sentence: ``5.seed (KSampler)``."""
        return f"{plain('.'.join(address))} ({plain(self.classes[address[0]].name)})"


def is_link(value: Any) -> TypeGuard[list[Any]]:
    """Whether ComfyUI would take this value for a link: [node id, slot]."""
    return type(value) is list and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


def wrapped(value: Any) -> Any:
    """A constant as a graph holds it: a list on its own would be taken for a link."""
    return {"__value__": value} if isinstance(value, list) else value


def unwrapped(value: Any) -> Any:
    """The constant that a graph holds so."""
    return value["__value__"] if type(value) is dict and "__value__" in value else value


def _classes(graph: Graph, catalogue: Catalogue) -> dict[str, NodeClass]:
    found = {id_: catalogue.node(node["class_type"]) for id_, node in graph.items()}
    known = {id_: class_ for id_, class_ in found.items() if class_ is not None}
    if len(known) < len(graph):
        raise _unknown(graph, [id_ for id_ in graph if id_ not in known], catalogue)
    return known


def _unknown(graph: Graph, ids: list[str], catalogue: Catalogue) -> UnknownNode:
    from comfyd.workflow.nearest import nearest

    classes = tuple(dict.fromkeys(graph[id_]["class_type"] for id_ in ids))
    near = nearest(classes[0], catalogue.names())
    fix = "; install the node pack that has it" + (f", or did you mean {shown(near)}?" if near else ".")
    more = f" (and {len(classes) - 1} more unknown classes)" if len(classes) > 1 else ""
    meta = graph[ids[0]].get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    called = f" ({shown(title)})" if isinstance(title, str) and title not in ("", classes[0]) else ""
    return UnknownNode(
        f"The engine has no node class {shown(classes[0])}, which node {shown(ids[0])}{called} uses{more}{fix}", classes=classes
    )
