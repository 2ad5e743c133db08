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
