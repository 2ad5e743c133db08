"""Conversion equals what ComfyUI's own editor exports.

``pairs`` are workflows laid out for every rule, each with the export of the editor that ComfyUI 0.30 ships (1.47.12), taken
from it in a browser. ``published`` are real pictures' two forms, written by the editors of their time.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfyd.protocol import Graph

HERE = Path(__file__).parent
BUTTONS = {"upload", "choose file to upload"}
"""Buttons that editors before 1.16 exported as if they were inputs."""


def load(path: Path) -> tuple[Any, Graph]:
    pair = json.loads(path.read_text(encoding="utf-8"))
    return pair["ui"], pair["api"]


@pytest.mark.parametrize("path", sorted((HERE / "pairs").glob("*.json")), ids=lambda path: path.stem)
def test_the_graph_is_the_editors(path: Path, converted: Callable[[Any], Graph]) -> None:
    ui, api = load(path)
    assert converted(ui) == api


@pytest.mark.parametrize("path", sorted((HERE / "pairs").glob("*.json")), ids=lambda path: path.stem)
def test_nodes_are_in_the_editors_order_by_number(path: Path, converted: Callable[[Any], Graph]) -> None:
    ui, api = load(path)
    assert [x for x in converted(ui) if ":" not in x] == [x for x in api if ":" not in x]


@pytest.mark.parametrize("path", sorted((HERE / "published").glob("*.json")), ids=lambda path: path.stem)
def test_the_graph_is_the_one_that_made_the_picture(path: Path, converted: Callable[[Any], Graph]) -> None:
    ui, api = load(path)
    graph = converted(ui)
    assert graph.keys() == api.keys()
    for id_, node in api.items():
        assert graph[id_]["class_type"] == node["class_type"]
        made = {name: value for name, value in node["inputs"].items() if name not in BUTTONS}
        # Inputs that a class has got since the picture was made hold their defaults.
        assert {name: graph[id_]["inputs"].get(name) for name in made} == made


def test_a_workflow_is_left_as_it_was(converted: Callable[[Any], Graph]) -> None:
    ui, _ = load(HERE / "pairs" / "nested.json")
    before = json.dumps(ui)
    converted(ui)
    assert json.dumps(ui) == before


def test_the_second_conversion_is_the_first(converted: Callable[[Any], Graph]) -> None:
    ui, _ = load(HERE / "pairs" / "legacy.json")
    assert converted(ui) == converted(ui)
