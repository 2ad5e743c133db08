"""How a plan is told."""

from typing import Any

import pytest
from comfyd_cli import plan

from comfyd.protocol import PlannedMemory, PlannedNode, PlanReply


def node(id: str, title: str, state: str = "cached", reason: str = "", cause: str = "", **more: Any) -> PlannedNode:
    return PlannedNode(node=id, class_type=title, title=title, state=state, reason=reason, cause=cause, **more)


def reply(nodes: list[PlannedNode], **fields: Any) -> PlanReply:
    known = {"workflow": "w", "engine": "ready", "overrides": {}, "memory": PlannedMemory()}
    return PlanReply(**(known | {"nodes": nodes} | fields))


SEED = [
    node("1", "loader"),
    node("5", "sampler", "run", "seed 41 -> 42", "changed", seconds=1.5, basis="measured"),
    node("6", "decode", "run", "downstream of sampler", "downstream", roots=["5"], seconds=0.25, basis="scaled"),
    node("7", "save", "run", "downstream of sampler", "downstream", roots=["5"]),
]


def test_one_line_for_a_change_and_one_for_what_is_downstream() -> None:
    assert plan.summary(reply(SEED)) == ["sampler: seed 41 -> 42", "decode, save: downstream"]


def test_a_changed_node_that_is_cached_is_told_where_it_is_the_cause() -> None:
    nodes = [node("2", "prompt", "cached", 'text "a" -> "b"', "changed"), *SEED[1:]]
    assert plan.summary(reply(nodes)) == ["sampler: seed 41 -> 42", "decode, save: downstream"]
    nodes[1] = node("5", "sampler", "run", "downstream of prompt", "downstream", roots=["2"])
    assert plan.summary(reply(nodes)) == ['prompt: text "a" -> "b", which is cached', "sampler, decode, save: downstream"]


def test_equal_reasons_are_told_once() -> None:
    nodes = [node(str(i), f"n{i}", "run", "first run", "first") for i in range(3)]
    assert plan.summary(reply(nodes)) == ["n0, n1, n2: first run"]
    many = [node(str(i), f"n{i}", "run", "first run", "first") for i in range(100)]
    assert plan.summary(reply(many))[0].endswith("n11 and 88 more: first run")


def test_what_lazy_nodes_may_ask_for_is_one_line() -> None:
    nodes = [node(str(i), f"n{i}", "maybe", f"only if s{i} asks for it; first run", "first") for i in range(2)]
    assert plan.summary(reply(nodes)) == ["n0, n1: only if another node asks for it"]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"seconds": 1.75, "untimed": 1}, "3 of 4 nodes would run: 1.75 s and 1 node of unknown time, memory unknown"),
        ({"untimed": 3}, "3 of 4 nodes would run: time unknown, memory unknown"),
        (
            {"seconds": 2.0, "memory": PlannedMemory(loads=2**30, peak=2**31), "ahead": 2},
            "3 of 4 nodes would run: about 2.00 s, loads 1.0 GB, peak about 2.0 GB, 2 jobs before it",
        ),
    ],
)
def test_the_headline(fields: dict[str, Any], line: str) -> None:
    assert plan.headline(reply(SEED, **fields)) == line


def test_the_headline_where_nothing_runs_or_nothing_is_known() -> None:
    assert plan.headline(reply([node("1", "a")])).startswith("Nothing would run")
    assert "not known now" in plan.headline(reply([node("1", "a", "unknown")]))


def test_the_table_has_what_runs_first_and_counts_many_that_are_cached() -> None:
    rows = plan.rows(reply(SEED))
    assert [row[0] for row in rows] == ["5", "6", "7", "1"]
    assert [row[-1] for row in rows] == ["1.50 s", "~0.25 s", "?", ""]
    many = plan.rows(reply([*SEED, *(node(f"c{i}", "c") for i in range(100))]))
    assert (len(many), many[-1][1]) == (3 + 40 + 1, "61 more")
