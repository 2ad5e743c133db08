"""Keys tell apart whatever ComfyUI may tell apart, and what has no form of its own matches nothing."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from . import rules

NEVER = {"not a number", "not a number again", "an object", "a tensor", "text that nothing has"}
SAME = {
    ("whole", "whole again"),
    ("beyond 64 bits", "beyond 64 bits again"),
    ("half a character", "half a character again"),
    ("dictionary", "dictionary in another order"),
}


@pytest.fixture(scope="module")
def found(comfyui: Path) -> dict[str, Any]:
    return rules.told("key", comfyui)


def test_values_of_other_types_have_other_keys(found: dict[str, Any]) -> None:
    keys = found["keys"]
    assert {pair for pair in itertools.combinations(keys, 2) if keys[pair[0]] == keys[pair[1]]} == SAME


def test_what_has_a_form_of_its_own_has_the_same_key_again(found: dict[str, Any]) -> None:
    assert {name for name, key in found["keys"].items() if found["twice"][name] != key} == NEVER


def test_so_has_what_a_node_says_has_changed(found: dict[str, Any]) -> None:
    assert {name for name, (one, two) in found["changed"].items() if one != two} == NEVER


def test_conditioning_is_of_one_class_with_values_of_its_own(found: dict[str, Any]) -> None:
    told = found["conditioning"]
    assert told["class"]
    assert told["apart"] == ["a", "b", 1.0, 2.0]
    assert told["dictionaries"] == []
    assert told["fields"] == ["input_x", "mult", "conditioning", "area", "control", "patches", "uuid", "hooks"]
