"""Widgets that a subgraph's node shows hold values of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.protocol import Graph

from .saved import ONE, TWO, Canvas


def sampler() -> Canvas:
    """A subgraph with a sampler, whose steps and cfg are inputs of the subgraph."""
    canvas = Canvas()
    canvas.node(5, "KSampler", ["steps=:INT", "cfg=:FLOAT"], [1, "fixed", 2, 3, "euler", "normal", 1])
    canvas.link(-10, 0, 5, "steps", "INT")
    canvas.link(-10, 1, 5, "cfg", "FLOAT")
    return canvas


def values(graph: Graph, id_: str) -> dict[str, Any]:
    return {name: graph[id_]["inputs"][name] for name in ("seed", "steps", "cfg")}


def test_each_node_of_a_subgraph_has_its_own_values(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, ONE, ["steps=:INT", "cfg=:FLOAT"], [20, 7.5])
    canvas.node(2, ONE, ["steps=:INT", "cfg=:FLOAT"], [30])
    canvas.node(3, ONE, ["steps=:INT", "cfg=:FLOAT"])
    graph = converted(canvas.workflow(sampler().subgraph(ONE, ["steps:INT", "cfg:FLOAT"], [])))
    assert [values(graph, f"{id_}:5") for id_ in (1, 2, 3)] == [
        {"seed": 1, "steps": 20, "cfg": 7.5},
        {"seed": 1, "steps": 30, "cfg": 3},
        {"seed": 1, "steps": 2, "cfg": 3},
    ]


def test_a_link_to_the_subgraphs_node_goes_before_its_value(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(9, "ProbeSource")
    canvas.node(1, ONE, ["steps=:INT", "cfg=:FLOAT"], [20, 7.5])
    canvas.link(9, 3, 1, "steps", "INT")
    graph = converted(canvas.workflow(sampler().subgraph(ONE, ["steps:INT", "cfg:FLOAT"], [])))
    assert values(graph, "1:5") == {"seed": 1, "steps": ["9", 3], "cfg": 7.5}


def test_older_files_list_the_widgets_by_node_and_name(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    host = canvas.node(1, ONE, ["steps=:INT", "cfg=:FLOAT"], [77, 20])
    host["properties"] = {"proxyWidgets": [["5", "seed"], ["5", "steps"], ["5", "control_after_generate"], ["6", "x"]]}
    graph = converted(canvas.workflow(sampler().subgraph(ONE, ["steps:INT", "cfg:FLOAT"], [])))
    assert values(graph, "1:5")["seed"] == 77
    assert values(graph, "1:5")["steps"] == 20


def test_a_list_that_is_no_list_of_widgets_is_passed_over(converted: Callable[[Any], Graph]) -> None:
    for proxies in ("no json", "[", 5, None, {}, [5], [["5"]], [["5", 6]], [["5", "seed"], None]):
        canvas = Canvas()
        canvas.node(1, ONE, [], [77])["properties"] = {"proxyWidgets": proxies}
        graph = converted(canvas.workflow(sampler().subgraph(ONE, [], [])))
        assert values(graph, "1:5") == {"seed": 1, "steps": 2, "cfg": 3}


@pytest.mark.parametrize("prefix", ["", "5: ", "5: 5: "])
def test_names_with_the_ids_of_nodes_before_them(prefix: str, converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, ONE, [], [77])["properties"] = {"proxyWidgets": [["5", f"{prefix}seed"]]}
    graph = converted(canvas.workflow(sampler().subgraph(ONE, [], [])))
    assert values(graph, "1:5")["seed"] == 77


def test_values_pass_through_nested_subgraphs(converted: Callable[[Any], Graph]) -> None:
    middle = Canvas()
    middle.node(6, ONE, ["steps=:INT", "cfg=:FLOAT"], [40, 4.5])
    middle.link(-10, 0, 6, "cfg", "FLOAT")
    canvas = Canvas()
    canvas.node(1, TWO, ["strength=:FLOAT"], [9.5])
    canvas.node(2, TWO, ["strength=:FLOAT"])
    inner = sampler().subgraph(ONE, ["steps:INT", "cfg:FLOAT"], [])
    graph = converted(canvas.workflow(inner, middle.subgraph(TWO, ["strength:FLOAT"], [])))
    assert values(graph, "1:6:5") == {"seed": 1, "steps": 40, "cfg": 9.5}
    assert values(graph, "2:6:5") == {"seed": 1, "steps": 40, "cfg": 4.5}


def test_a_widget_of_a_nested_subgraphs_node_is_listed_too(converted: Callable[[Any], Graph]) -> None:
    middle = Canvas()
    middle.node(6, ONE, ["steps=:INT", "cfg=:FLOAT"], [40, 4.5])
    canvas = Canvas()
    canvas.node(1, TWO, [], [50, 6.5])["properties"] = {"proxyWidgets": [["6", "steps"], ["6", "cfg", "5"]]}
    inner = sampler().subgraph(ONE, ["steps:INT", "cfg:FLOAT"], [])
    graph = converted(canvas.workflow(inner, middle.subgraph(TWO, [], [])))
    assert values(graph, "1:6:5") == {"seed": 1, "steps": 50, "cfg": 6.5}


def test_values_the_editor_could_not_place_once_are_kept_by_name(converted: Callable[[Any], Graph]) -> None:
    kept = [{"originalEntry": ["-1", "cfg"], "hostValue": 8.5, "reason": "missingSourceNode"}, {"originalEntry": 5}, None]
    canvas = Canvas()
    canvas.node(1, ONE, ["steps=:INT", "cfg=:FLOAT"], [20, 7.5])["properties"] = {"proxyWidgetErrorQuarantine": kept}
    graph = converted(canvas.workflow(sampler().subgraph(ONE, ["steps:INT", "cfg:FLOAT"], [])))
    assert values(graph, "1:5")["cfg"] == 8.5
