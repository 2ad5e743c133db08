"""Group nodes: what a group leaves open, and whose values are whose. Real ones are in ``published``."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.errors import ConversionFailed
from comfyd.protocol import Graph

from .saved import Canvas, to_save


def workflow(groups: Any, type_: str = "workflow>Mine", values: Any = None, slots: tuple[str, ...] = ()) -> dict[str, Any]:
    canvas = Canvas()
    canvas.node(1, type_, slots, values)
    to_save(canvas, 9, 1)
    return canvas.workflow(extra={"groupNodes": groups})


def two_sources(**fields: Any) -> dict[str, Any]:
    nodes = [{"type": "ProbeSource", "widgets_values": [1]}, {"type": "ProbeSource", "title": "Second", "widgets_values": [2]}]
    return {"nodes": nodes, "links": [], "external": [], **fields}


@pytest.mark.parametrize("type_", ["workflow>Mine", "workflow/Mine"])
def test_a_groups_nodes_are_numbered_from_0(type_: str, converted: Callable[[Any], Graph]) -> None:
    graph = converted(workflow({"Mine": two_sources()}, type_, [11, 22]))
    assert {id_: node["inputs"] for id_, node in graph.items() if ":" in id_} == {"1:0": {"number": 11}, "1:1": {"number": 22}}
    assert graph["9"]["inputs"]["any"] == ["1:0", 0]


def test_links_inside_and_into_the_group(converted: Callable[[Any], Graph]) -> None:
    nodes = [
        {"type": "ProbeSource", "widgets_values": [1]},
        {
            "type": "ProbeSave",
            "inputs": [{"name": "any", "type": "*"}, {"name": "image", "type": "IMAGE"}],
            "widgets_values": [5],
        },
    ]
    group = {"nodes": nodes, "links": [[0, 2, 1, 0, 7, "LATENT"], [None, 0, 1, 1, 8, "IMAGE"]], "external": []}
    canvas = Canvas()
    canvas.node(3, "ProbeSource")
    canvas.node(1, "workflow>Mine", ["image:IMAGE"], [4, 6])
    canvas.link(3, 0, 1, "image")
    graph = converted(canvas.workflow(extra={"groupNodes": {"Mine": group}}))
    assert graph["1:1"]["inputs"] == {"any": ["1:0", 2], "image": ["3", 0], "number": 6}


def test_inputs_of_the_same_name_are_told_apart_by_title(converted: Callable[[Any], Graph]) -> None:
    saves = [
        {"type": "ProbeSave", "inputs": [{"name": "any"}]},
        {"type": "ProbeSave", "title": "Second", "inputs": [{"name": "any"}]},
    ]
    canvas = Canvas()
    canvas.node(3, "ProbeSource")
    canvas.node(1, "workflow>Mine", ["any", "Second any"])
    canvas.link(3, 1, 1, "any")
    canvas.link(3, 2, 1, "Second any")
    graph = converted(canvas.workflow(extra={"groupNodes": {"Mine": {"nodes": saves, "links": []}}}))
    assert (graph["1:0"]["inputs"]["any"], graph["1:1"]["inputs"]["any"]) == (["3", 1], ["3", 2])


def test_names_that_the_user_gave(converted: Callable[[Any], Graph]) -> None:
    group = {
        "nodes": [{"type": "ProbeSave", "inputs": [{"name": "any"}, {"name": "image"}]}],
        "links": [],
        "config": {"0": {"input": {"any": {"name": "renamed"}, "image": {"visible": False}}}},
    }
    canvas = Canvas()
    canvas.node(3, "ProbeSource")
    canvas.node(1, "workflow>Mine", ["renamed", "image"])
    canvas.link(3, 1, 1, "renamed")
    canvas.link(3, 2, 1, "image")
    graph = converted(canvas.workflow(extra={"groupNodes": {"Mine": group}}))
    assert graph["1:0"]["inputs"] == {"number": 9, "any": ["3", 1]}


def test_a_group_in_itself_ends(converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(ConversionFailed, match="group nodes"):
        converted(workflow({"Mine": {"nodes": [{"type": "workflow>Mine"}], "links": []}}))


def test_a_group_that_is_not_there_is_an_unknown_class(converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(Exception, match=r"Node 1 \(workflow>Mine\) cannot be converted"):
        converted(workflow({}))


@pytest.mark.parametrize(
    "group", [{}, {"nodes": 5}, {"nodes": [None]}, {"nodes": [], "links": [[], [None] * 6, [0, 0, 0, 10**9]]}]
)
def test_a_group_of_nothing(group: Any, converted: Callable[[Any], Graph]) -> None:
    assert list(converted(workflow({"Mine": group}))) == ["9"]
