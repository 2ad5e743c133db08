"""Reading what no schema guards."""

import math
from typing import Any

import pytest

from comfyd.errors import ConversionFailed
from comfyd.workflow.convert.ui import key, read_level, type_name


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(5, "5"), ("5", "5"), (5.0, "5"), (-10, "-10"), (True, None), (None, None), ("", None), (5.5, None), ([], None)],
)
def test_ids_are_text_as_javascript_writes_it(raw: Any, expected: str | None) -> None:
    assert key(raw) == expected


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_id(raw: float) -> None:
    assert key(raw) is None


@pytest.mark.parametrize(("raw", "expected"), [("INT", "INT"), (["a", "b"], "COMBO"), (0, "*"), ("", "*"), (None, "*")])
def test_types_of_slots(raw: Any, expected: str) -> None:
    assert type_name(raw) == expected


def test_links_are_lists_or_objects() -> None:
    level = read_level(
        {
            "nodes": [],
            "links": [
                [1, 2, 0, 3, 1, "INT"],
                {"id": 2, "origin_id": "4", "origin_slot": "1", "target_id": 5, "target_slot": 2.0, "type": ["a"]},
                [3, 2, 0, 3, 1],
                None,
                "x",
                [],
                {"id": 9},
                [4, None, 0, 3, 1, "INT"],
            ],
        },
        "The workflow",
    )
    found = {id_: (link.origin, link.slot, link.target, link.target_slot, link.type) for id_, link in level.links.items()}
    assert found == {"1": ("2", 0, "3", 1, "INT"), "2": ("4", 1, "5", 2, "COMBO"), "3": ("2", 0, "3", 1, "*")}


def test_links_may_come_by_their_ids() -> None:
    link = {"id": 7, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0}
    level = read_level({"nodes": [], "links": {"7": link}}, "")
    assert list(level.links) == ["7"]


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(ConversionFailed, match=r"two nodes with the id '3'"):
        read_level({"nodes": [{"id": 3, "type": "A"}, {"id": "3", "type": "B"}]}, "The workflow")


@pytest.mark.parametrize("node", [None, 5, [], {}, {"id": 1}, {"type": "A"}, {"id": None, "type": "A"}, {"id": 1, "type": 5}])
def test_a_node_that_is_none_is_refused(node: Any) -> None:
    with pytest.raises(ConversionFailed, match="without an id or a type"):
        read_level({"nodes": [node]}, "The workflow")


def test_wrong_types_in_a_node_count_as_absent() -> None:
    raw = {"id": 1, "type": "A", "mode": "x", "title": 5, "inputs": {}, "outputs": 3, "widgets_values": "x", "properties": []}
    node = read_level({"nodes": [raw]}, "").nodes["1"]
    assert (node.mode, node.title, node.inputs, node.outputs, node.values, node.properties) == (0, "", [], [], None, {})
