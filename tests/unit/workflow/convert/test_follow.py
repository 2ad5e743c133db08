"""What feeds an input, through everything that is there in the editor only."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.errors import ConversionFailed
from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.convert import convert

from .saved import ONE, TWO, Canvas, to_save

LONG = 20_000


def fed(graph: Graph, id_: str = "9", name: str = "any") -> Any:
    return graph[id_]["inputs"].get(name)


def test_a_chain_of_reroutes_of_any_length(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(0, "ProbeSource")
    for id_ in range(10, 10 + LONG):
        canvas.node(id_, "Reroute", [":*"])
    canvas.links = [[id_, id_ - 1 if id_ > 10 else 0, 0, id_, 0, "*"] for id_ in range(10, 10 + LONG)]
    for node in canvas.nodes[1:]:
        node["inputs"][0]["link"] = node["id"]
    canvas.node(9, "ProbeSave", ["any"])["inputs"][0]["link"] = 1
    canvas.links.append([1, 9 + LONG, 0, 9, 0, "*"])
    assert fed(converted(canvas.workflow())) == ["0", 0]


def test_a_circle_of_reroutes_is_refused(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    for id_ in (1, 2):
        canvas.node(id_, "Reroute", [":*"])
    canvas.link(1, 0, 2, 0)
    canvas.link(2, 0, 1, 0)
    to_save(canvas, 9, 1)
    with pytest.raises(ConversionFailed, match="run in a circle"):
        converted(canvas.workflow())


def test_a_setter_gives_its_value_to_getters_of_its_name(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, "ProbeSource")
    canvas.node(2, "SetNode", ["IMAGE"], ["picture"])
    canvas.link(1, 0, 2, "IMAGE")
    canvas.node(3, "GetNode", [], ["picture"])
    to_save(canvas, 9, 3)
    assert fed(converted(canvas.workflow())) == ["1", 0]


def test_the_setters_own_output_passes_its_input_on(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, "ProbeSource")
    canvas.node(2, "SetNode", ["IMAGE"], ["picture"])
    canvas.link(1, 0, 2, "IMAGE")
    to_save(canvas, 9, 2)
    assert fed(converted(canvas.workflow())) == ["1", 0]


def test_a_getter_inside_a_subgraph_reaches_a_setter_around_it(converted: Callable[[Any], Graph]) -> None:
    inner = Canvas()
    inner.node(5, "GetNode", [], ["picture"])
    inner.link(5, 0, -20, 0)
    canvas = Canvas()
    canvas.node(1, "ProbeSource")
    canvas.node(2, "SetNode", ["IMAGE"], ["picture"])
    canvas.link(1, 0, 2, "IMAGE")
    canvas.node(3, ONE)
    to_save(canvas, 9, 3)
    assert fed(converted(canvas.workflow(inner.subgraph(ONE, [], ["out"])))) == ["1", 0]


def test_a_getter_without_its_setter_is_refused(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(3, "GetNode", [], ["picture"])
    to_save(canvas, 9, 3)
    with pytest.raises(ConversionFailed, match=r"Node 3 \(GetNode\) .* 'picture'"):
        converted(canvas.workflow())


def test_a_subgraph_that_passes_its_input_on(converted: Callable[[Any], Graph]) -> None:
    inner = Canvas()
    inner.link(-10, 0, -20, 0)
    canvas = Canvas()
    canvas.node(1, "ProbeSource")
    canvas.node(2, ONE, ["in"])
    canvas.link(1, 3, 2, "in")
    to_save(canvas, 9, 2)
    assert fed(converted(canvas.workflow(inner.subgraph(ONE, ["in"], ["out"])))) == ["1", 3]


def test_two_uses_of_a_subgraph_in_a_row_are_no_circle(converted: Callable[[Any], Graph]) -> None:
    inner = Canvas()
    inner.node(5, "Reroute", [":*"])
    inner.link(-10, 0, 5, 0)
    inner.link(5, 0, -20, 0)
    canvas = Canvas()
    canvas.node(1, "ProbeSource")
    for id_ in (2, 3):
        canvas.node(id_, ONE, ["in"])
        canvas.link(id_ - 1, 0, id_, "in")
    to_save(canvas, 9, 3)
    assert fed(converted(canvas.workflow(inner.subgraph(ONE, ["in"], ["out"])))) == ["1", 0]


@pytest.mark.parametrize("link", [99, "x", -1, True, [], {}])
def test_a_link_that_is_not_there_is_none(link: Any, converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(9, "ProbeSave", ["any"])["inputs"][0]["link"] = link
    assert fed(converted(canvas.workflow())) is None


def test_a_link_from_a_node_that_is_not_there_is_none(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    to_save(canvas, 9, 77)
    assert fed(converted(canvas.workflow())) is None


def test_links_of_a_subgraph_to_borders_it_does_not_have(converted: Callable[[Any], Graph]) -> None:
    inner = Canvas()
    inner.node(5, "ProbeSave", ["any"])
    inner.link(-10, 7, 5, "any")
    canvas = Canvas()
    canvas.node(1, TWO)
    to_save(canvas, 9, 1, slot=5)
    graph = converted(canvas.workflow(inner.subgraph(TWO, ["in"], ["out"])))
    assert fed(graph) is None
    assert fed(graph, "1:5") is None


@pytest.mark.parametrize("type_", ["Reroute", ONE])
def test_what_is_muted_gives_nothing(type_: str, converted: Callable[[Any], Graph]) -> None:
    inner = Canvas()
    inner.link(-10, 0, -20, 0)
    canvas = Canvas()
    canvas.node(1, "ProbeSource")
    canvas.node(2, type_, ["in"], mode=2)
    canvas.link(1, 0, 2, "in")
    to_save(canvas, 9, 2)
    assert fed(converted(canvas.workflow(inner.subgraph(ONE, ["in"], ["out"])))) is None


def test_a_bypassed_node_prefers_the_input_of_exactly_the_type() -> None:
    inputs = {"either": ["INT,FLOAT", {"forceInput": True}], "same": ["FLOAT", {"forceInput": True}]}
    catalogue = Catalogue(
        {
            "Source": {"input": {}, "output": ["INT", "FLOAT"]},
            "Through": {"input": {"required": inputs}, "output": ["IMAGE", "MASK", "FLOAT"]},
            "Sink": {"input": {"required": {"in": ["FLOAT", {"forceInput": True}]}}, "output": [], "output_node": True},
        }
    )
    canvas = Canvas()
    canvas.node(1, "Source")
    canvas.node(2, "Through", ["either", "same"], mode=4)
    canvas.link(1, 0, 2, "either")
    canvas.link(1, 1, 2, "same")
    canvas.node(9, "Sink", ["in"])
    canvas.link(2, 2, 9, "in")
    assert fed(convert(canvas.workflow(), catalogue), "9", "in") == ["1", 1]


def test_reroutes_of_links_and_floating_links_are_drawing_only(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, "ProbeSource")
    to_save(canvas, 9, 1)
    extra = {"reroutes": [{"id": 1, "linkIds": [1]}], "linkExtensions": [{"id": 1, "parentId": 1}]}
    floating = [{"id": 7, "origin_id": 1, "origin_slot": 0, "target_id": -1, "target_slot": -1, "type": "IMAGE", "parentId": 1}]
    assert fed(converted(canvas.workflow(extra=extra, floatingLinks=floating, reroutes=[{"id": 1}]))) == ["1", 0]
