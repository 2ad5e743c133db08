"""Subgraphs that contain each other, and nodes whose ids are taken."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.errors import ConversionFailed
from comfyd.protocol import Graph

from .saved import ONE, TWO, Canvas, to_save


def chained(id_: str, inner: str) -> dict[str, Any]:
    canvas = Canvas()
    canvas.node(5, inner, [])
    canvas.link(5, 0, -20, 0)
    return canvas.subgraph(id_, [], ["out"])


def hosting(type_: str, *definitions: dict[str, Any]) -> dict[str, Any]:
    canvas = Canvas()
    canvas.node(1, type_)
    to_save(canvas, 2, 1)
    return canvas.workflow(*definitions)


def test_a_subgraph_in_itself_is_refused(converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(ConversionFailed, match=r"The subgraph 'Subgraph 1' contains itself"):
        converted(hosting(ONE, chained(ONE, ONE)))


def test_two_subgraphs_in_each_other_are_refused(converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(ConversionFailed, match="contains itself"):
        converted(hosting(ONE, chained(ONE, TWO), chained(TWO, ONE)))


def test_a_definition_nobody_uses_may_be_anything(converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, "ProbeSource", [], [3])
    assert list(converted(canvas.workflow(chained(ONE, ONE)))) == ["1"]


def test_definitions_may_be_nested(converted: Callable[[Any], Graph]) -> None:
    leaf = Canvas()
    leaf.node(7, "ProbeSource", [], [3])
    leaf.link(7, 0, -20, 0)
    outer = chained(TWO, ONE) | {"definitions": {"subgraphs": [leaf.subgraph(ONE, [], ["out"])]}}
    assert converted(hosting(TWO, outer))["2"]["inputs"]["any"] == ["1:5:7", 0]


def test_ids_that_are_taken_are_given_anew(converted: Callable[[Any], Graph]) -> None:
    """As the editor does it, so that the ids are those of its export."""
    leaf = Canvas()
    leaf.node(1, "ProbeSource", [], [3])
    leaf.link(1, 0, -20, 0)
    graph = converted(hosting(ONE, leaf.subgraph(ONE, [], ["out"])))
    assert graph["2"]["inputs"]["any"] == ["1:1001", 0]


@pytest.mark.parametrize("definition", [{}, {"id": 5}, {"id": ""}])
def test_a_definition_without_an_id_is_refused(definition: dict[str, Any], converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(ConversionFailed, match="has no id"):
        converted(Canvas().workflow(definition))


@pytest.mark.parametrize("ui", [None, [], {}, {"nodes": {}}, {"nodes": None}, "nodes"])
def test_what_is_no_workflow_is_refused(ui: Any, converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(ConversionFailed, match="no workflow of ComfyUI's editor"):
        converted(ui)


@pytest.mark.parametrize("definitions", [None, 5, [], {}, {"subgraphs": None}, {"subgraphs": [None, 5]}])
def test_definitions_that_are_none(definitions: Any, converted: Callable[[Any], Graph]) -> None:
    assert converted(Canvas().workflow(definitions=definitions)) == {}
