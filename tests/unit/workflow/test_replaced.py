"""Nodes of old names become what ComfyUI makes of them at ``/prompt``."""

from typing import Any

import pytest

from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.prepared import prepare
from comfyd.workflow.replaced import with_replacements

ENTRY: dict[str, Any] = {"input": {"required": {"name": ["STRING", {}], "image": ["IMAGE"]}}, "output": ["IMAGE", "MASK"]}
MAPPED = {
    "new_node_id": "New",
    "old_widget_ids": ["title"],
    "input_mapping": [
        {"new_id": "name", "old_id": "title"},
        {"new_id": "image", "old_id": "pic"},
        {"new_id": "k", "set_value": 3},
    ],
    "output_mapping": [{"old_idx": 0, "new_idx": 1}],
}


@pytest.fixture
def catalogue() -> Catalogue:
    found = Catalogue({"New": ENTRY, "Kept": ENTRY})
    found.replacements = {
        "Old": [MAPPED],
        "Renamed": [{"new_node_id": "New", "input_mapping": None}],
        "Kept": [{"new_node_id": "New"}],
        "Lost": [{"new_node_id": "Gone"}],
        "Odd": [None],
    }
    return found


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def test_inputs_and_outputs_are_mapped(catalogue: Catalogue) -> None:
    graph = {"1": node("Kept"), "2": node("Old", title="t", pic=["1", 0]), "3": node("Kept", image=["2", 0], other=["2", 5])}
    found = with_replacements(graph, catalogue)
    assert found["2"] == node("New", name="t", image=["1", 0], k=3)
    assert found["3"] == node("Kept", image=["2", 1], other=["2", 5])


def test_without_a_mapping_the_name_alone_changes(catalogue: Catalogue) -> None:
    assert with_replacements({"1": node("Renamed", name="x")}, catalogue) == {"1": node("New", name="x")}


@pytest.mark.parametrize("class_type", ["Kept", "Lost", "Odd", "Unheard of"])
def test_what_is_not_replaced_stays(class_type: str, catalogue: Catalogue) -> None:
    graph = {"1": node(class_type, name="x")}
    assert with_replacements(graph, catalogue) == graph


def test_a_workflow_of_the_editor_with_an_old_name(catalogue: Catalogue) -> None:
    old = {"id": 2, "type": "Old", "inputs": [{"name": "pic", "type": "IMAGE", "link": 1}], "widgets_values": ["t"]}
    new = {"id": 1, "type": "Kept", "widgets_values": ["x"]}
    graph: Graph = prepare(None, {"nodes": [new, old], "links": [[1, 1, 0, 2, 0, "IMAGE"]]}, catalogue)
    assert graph["2"]["class_type"] == "New"
    assert graph["2"]["inputs"] == {"name": "t", "image": ["1", 0], "k": 3}


def test_a_workflow_of_the_editor_with_a_new_name_alone(catalogue: Catalogue) -> None:
    graph = prepare(None, {"nodes": [{"id": 1, "type": "Renamed", "widgets_values": ["x"]}], "links": []}, catalogue)
    assert (graph["1"]["class_type"], graph["1"]["inputs"]) == ("New", {"name": "x"})


@pytest.mark.parametrize("node", [None, 5, [], {}, {"class_type": []}, {"class_type": "Kept", "inputs": 5}])
def test_a_graph_that_nobody_has_looked_at(node: Any, catalogue: Catalogue) -> None:
    graph = {"1": node, "2": {"class_type": "Renamed", "inputs": None}}
    assert with_replacements(graph, catalogue)["1"] == node
