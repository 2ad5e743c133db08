"""Values of a run in the UI form: it converts to the graph that ran, and nothing but the values has changed."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyd.protocol import Graph
from comfyd.workflow import prepare
from comfyd.workflow.reflected import reflected
from tests.unit.workflow.convert.conftest import CATALOGUE
from tests.unit.workflow.convert.saved import ONE, Canvas

PAIRS = {path.stem: json.loads(path.read_text())["ui"] for path in (Path(__file__).parent / "convert" / "pairs").glob("*.json")}
SAMPLER = [1, "fixed", 2, 3.0, "euler", "normal", 1]


def api(ui: Any) -> Graph:
    return prepare(None, ui, CATALOGUE)


def after(ui: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The UI form with values by address, whose dots and colons are written as __ and _ here."""
    wanted = {name.replace("__", ".").removeprefix("n").replace("_of_", ":"): value for name, value in values.items()}
    return reflected(ui, api(ui), wanted, CATALOGUE)


def sampler(**fields: Any) -> Canvas:
    canvas = Canvas()
    canvas.node(5, "KSampler", ["seed=:INT", "steps=:INT", "cfg=:FLOAT"], list(SAMPLER), **fields)
    return canvas


def test_values_go_where_the_editor_keeps_them():
    ui = sampler().workflow()
    before = copy.deepcopy(ui)
    found = after(ui, n5__seed=42, n5__cfg=7.5, n5__sampler_name="heun")
    assert found["nodes"][0]["widgets_values"] == [42, "fixed", 2, 7.5, "heun", "normal", 1]
    assert ui == before


def test_values_by_name():
    ui = sampler().workflow()
    ui["nodes"][0]["widgets_values"] = {"seed": 1, "steps": 2}
    assert after(ui, n5__steps=9)["nodes"][0]["widgets_values"] == {"seed": 1, "steps": 9}


def test_inside_a_subgraph_that_is_used_once():
    canvas = Canvas()
    canvas.node(1, ONE)
    ui = canvas.workflow(sampler().subgraph(ONE, [], []))
    found = after(ui, n1_of_5__seed=42)
    assert found["definitions"]["subgraphs"][0]["nodes"][0]["widgets_values"][0] == 42
    assert api(found)["1:5"]["inputs"]["seed"] == 42


def test_inside_a_subgraph_that_is_used_twice_nothing_can_be_kept():
    canvas = Canvas()
    canvas.node(1, ONE)
    canvas.node(2, ONE)
    ui = canvas.workflow(sampler().subgraph(ONE, [], []))
    assert after(ui, n1_of_5__seed=42) == ui


def test_what_the_node_of_a_subgraph_shows_is_kept_there():
    canvas = Canvas()
    canvas.node(1, ONE, ["steps=:INT"], [20])
    inner = sampler()
    inner.link(-10, 0, 5, "steps", "INT")
    found = after(canvas.workflow(inner.subgraph(ONE, ["steps:INT"], [])), n1_of_5__steps=33)
    assert found["nodes"][0]["widgets_values"] == [33]
    assert api(found)["1:5"]["inputs"]["steps"] == 33


def test_a_value_that_several_nodes_share_stays():
    canvas = sampler()
    canvas.node(6, "KSampler", ["seed=:INT"], list(SAMPLER))
    canvas.node(7, "PrimitiveNode", [], [1, "fixed"], outputs=[{"name": "INT", "type": "INT", "widget": {"name": "seed"}}])
    canvas.link(7, 0, 5, "seed", "INT")
    canvas.link(7, 0, 6, "seed", "INT")
    ui = canvas.workflow()
    found = after(ui, n5__seed=42, n6__steps=9)
    assert api(found)["5"]["inputs"]["seed"] == api(found)["6"]["inputs"]["seed"] == 1
    assert api(found)["6"]["inputs"]["steps"] == 9


def test_a_value_that_a_primitive_node_holds_for_one_goes_there():
    canvas = sampler()
    canvas.node(7, "PrimitiveNode", [], [1, "fixed"], outputs=[{"name": "INT", "type": "INT", "widget": {"name": "seed"}}])
    canvas.link(7, 0, 5, "seed", "INT")
    found = after(canvas.workflow(), n5__seed=42)
    assert found["nodes"][1]["widgets_values"] == [42, "fixed"]
    assert api(found)["5"]["inputs"]["seed"] == 42


def test_what_does_not_fit_the_ui_form_leaves_it_as_it_is():
    ui = sampler().workflow()
    other = {"5": {"class_type": "Other", "inputs": {"seed": 1}}}
    assert reflected(ui, other, {"5.seed": 42}, CATALOGUE) == ui
    for address in ("6.seed", "5.nope", "seed", "", "."):
        assert reflected(ui, api(ui), {address: 42}, CATALOGUE) == ui
    assert reflected({"nodes": 3}, {}, {"5.seed": 42}, CATALOGUE) == {"nodes": 3}


@pytest.mark.parametrize("name", PAIRS)
def test_every_value_that_is_kept_is_exported_and_no_other_changes(name: str):
    ui = PAIRS[name]
    graph = api(ui)
    for id_, node in graph.items():
        for input_, value in node["inputs"].items():
            if type(value) is int:
                found = api(reflected(ui, graph, {f"{id_}.{input_}": value + 1}, CATALOGUE))
                assert found in (graph, graph | {id_: node | {"inputs": node["inputs"] | {input_: value + 1}}})


@given(
    st.sampled_from(sorted(PAIRS)),
    st.dictionaries(st.text(max_size=6) | st.sampled_from(["1.seed", "5.steps", "3:5.cfg"]), st.integers() | st.text(max_size=3)),
)
def test_any_values_leave_something_that_converts(name: str, values: dict[str, Any]):
    values = {address: value for address, value in values.items() if not isinstance(value, int) or abs(value) < 2**63}
    assert api(reflected(PAIRS[name], api(PAIRS[name]), values, CATALOGUE)).keys() == api(PAIRS[name]).keys()


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from spots(inner, (*path, key))


@given(st.sampled_from(sorted(PAIRS)), st.data())
def test_a_ui_form_that_is_damaged_comes_back_in_some_form(name: str, data: st.DataObject):
    ui = copy.deepcopy(PAIRS[name])
    graph = api(ui)
    values = {f"{id_}.{input_}": 7 for id_, node in graph.items() for input_ in list(node["inputs"])[:2]}
    places = list(spots(ui))
    for path in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        parent = ui
        try:
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = data.draw(st.sampled_from([None, 3, -1, "x", [], {}, [3], {"a": 1}, 1.5, True]))
        except (KeyError, IndexError, TypeError):
            continue
    assert isinstance(reflected(ui, graph, values, CATALOGUE), dict)
