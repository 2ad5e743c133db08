"""Subgraphs unfold within bounds."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.errors import ConversionFailed
from comfyd.protocol import Graph

from .saved import ONE, Canvas, to_save


def doubling(depth: int, copies: int) -> dict[str, Any]:
    """A definition for each level, each of which holds the next one several times."""
    definitions = []
    for level in range(depth):
        canvas = Canvas()
        for number in range(copies):
            canvas.node(10 * level + number + 1, f"level-{level + 1}" if level + 1 < depth else "ProbeSource")
        canvas.link(10 * level + 1, 0, -20, 0)
        definitions.append(canvas.subgraph(f"level-{level}", [], ["out"]))
    root = Canvas()
    root.node(1, "level-0")
    to_save(root, 2, 1)
    return root.workflow(*definitions)


def test_a_bomb_of_subgraphs_is_refused(converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(ConversionFailed, match="unfold into more than"):
        converted(doubling(40, 4))


def test_subgraphs_nested_too_deep_are_refused(converted: Callable[[Any], Graph]) -> None:
    with pytest.raises(ConversionFailed, match="nested more than"):
        converted(doubling(70, 1))


def test_subgraphs_multiply_within_bounds(converted: Callable[[Any], Graph]) -> None:
    graph = converted(doubling(5, 3))
    assert sum(node["class_type"] == "ProbeSource" for node in graph.values()) == 3**5


def test_a_muted_subgraph_is_not_unfolded(converted: Callable[[Any], Graph]) -> None:
    inner = Canvas()
    inner.node(5, "ProbeSource")
    root = Canvas()
    root.node(1, ONE, mode=2)
    root.node(2, ONE, mode=4)
    root.node(3, ONE)
    assert list(converted(root.workflow(inner.subgraph(ONE, [], [])))) == ["3:5"]


def test_too_many_inputs_on_too_many_nodes_are_refused(converted: Callable[[Any], Graph]) -> None:
    inner = Canvas().subgraph(ONE, [f"input {number}" for number in range(3_000)], [])
    root = Canvas()
    for number in range(1, 1_000):
        root.node(number, ONE)
    with pytest.raises(ConversionFailed, match="too many inputs"):
        converted(root.workflow(inner))


def test_too_many_promoted_widgets_are_refused(converted: Callable[[Any], Graph]) -> None:
    root = Canvas()
    root.node(1, ONE)["properties"] = {"proxyWidgets": [["5", "seed"]] * 2_000}
    with pytest.raises(ConversionFailed, match="too many widgets"):
        converted(root.workflow(Canvas().subgraph(ONE, [], [])))


def test_groups_that_unfold_too_far_are_refused(converted: Callable[[Any], Graph]) -> None:
    group = {"nodes": [{"type": "Note"}] * 10_000, "links": []}
    root = Canvas()
    for number in range(30):
        root.node(number, "workflow>Many")
    with pytest.raises(ConversionFailed, match="group nodes unfold into too many"):
        converted(root.workflow(extra={"groupNodes": {"Many": group}}))
