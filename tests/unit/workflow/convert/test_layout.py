"""What the widgets of a node hold: by their order, by their names, or what they start with."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.convert import convert

from .saved import Canvas


@pytest.fixture
def inputs(converted: Callable[[Any], Graph]) -> Callable[..., dict[str, Any]]:
    """The inputs in the graph of one node saved with these values."""

    def convert_one(type_: str, values: Any = None, slots: tuple[str, ...] = ()) -> dict[str, Any]:
        canvas = Canvas()
        canvas.node(1, type_, slots, values)
        found: dict[str, Any] = converted(canvas.workflow())["1"]["inputs"]
        return found

    return convert_one


def test_the_value_that_controls_the_seed_is_left_out(inputs: Callable[..., dict[str, Any]]) -> None:
    found = inputs("KSampler", [42, "randomize", 20, 8.5, "euler", "normal", 1])
    assert found == {"seed": 42, "steps": 20, "cfg": 8.5, "sampler_name": "euler", "scheduler": "normal", "denoise": 1}


def test_values_may_come_by_name(inputs: Callable[..., dict[str, Any]]) -> None:
    found = inputs("KSampler", {"seed": 42, "cfg": 8.5, "videopreview": {"hidden": False}})
    assert (found["seed"], found["cfg"], found["steps"]) == (42, 8.5, 20)
    assert "videopreview" not in found


@pytest.mark.parametrize("values", [None, [], "x", 5])
def test_a_node_without_values_has_its_defaults(values: Any, inputs: Callable[..., dict[str, Any]]) -> None:
    assert inputs("KSampler", values)["steps"] == 20


def test_more_values_than_widgets_are_passed_over(inputs: Callable[..., dict[str, Any]]) -> None:
    assert inputs("ProbeSource", [5, 6, 7]) == {"number": 5}


def test_the_upload_button_is_left_out(inputs: Callable[..., dict[str, Any]]) -> None:
    assert inputs("LoadImage", ["fox.png", "image"]) == {"image": "fox.png"}


def test_a_list_as_a_value_is_wrapped(inputs: Callable[..., dict[str, Any]]) -> None:
    assert inputs("ProbeSource", [["1", 0]]) == {"number": {"__value__": ["1", 0]}}


def test_inputs_come_with_the_choice_of_a_dynamic_combo(inputs: Callable[..., dict[str, Any]]) -> None:
    found = inputs("ResizeImageMaskNode", ["scale by multiplier", 1.5, "area"])
    assert found == {"resize_type": "scale by multiplier", "resize_type.multiplier": 1.5, "scale_method": "area"}


@pytest.mark.parametrize("choice", ["of another version", None, 5, [], {}])
def test_a_choice_that_is_none_has_no_inputs(choice: Any, inputs: Callable[..., dict[str, Any]]) -> None:
    found = inputs("ResizeImageMaskNode", [choice, "area"], ("resize_type.multiplier=",))
    assert "resize_type.multiplier" not in found


@pytest.mark.parametrize("two", [False, True])
def test_a_loader_of_many_loras_has_a_widget_for_each(two: bool) -> None:
    class_ = "Power Lora Loader (rgthree)"
    catalogue = Catalogue({class_: {"input": {"required": {}, "optional": {"model": ["MODEL"]}}, "output": ["MODEL"]}})
    lora = {"on": True, "lora": "x.safetensors", "strength": 0.5, "strengthTwo": None}
    canvas = Canvas()
    node = canvas.node(1, class_, ["model"], [{}, {"type": "PowerLoraLoaderHeaderWidget"}, lora, lora | {"on": False}, {}, ""])
    node["properties"] = {"Show Strengths": "Separate Model & Clip"} if two else {}
    first = {"on": True, "lora": "x.safetensors", "strength": 0.5} | ({"strengthTwo": 1} if two else {})
    assert convert(canvas.workflow(), catalogue)["1"]["inputs"] == {"lora_1": first, "lora_2": first | {"on": False}}


def test_a_combo_made_by_hand_has_as_many_choices_as_are_filled(inputs: Callable[..., dict[str, Any]]) -> None:
    found = inputs("CustomCombo", ["b", 7, "a", "b", ""])
    assert found == {"choice": "b", "index": 1, "option1": "a", "option2": "b", "option3": ""}
