"""Choices in prompts: the editor's form, drawn by the seed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, bind
from comfyd.workflow.values.draws import drawn


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("a {red|green} fox", {"a red fox", "a green fox"}),
        ("{a|b}{c|d}", {"ac", "ad", "bc", "bd"}),
        ("{a {x|y}|b}", {"a x", "a y", "b"}),
        ("{a|}", {"a", ""}),
        ("{only}", {"only"}),
        (r"\{a\|b\} {c|d}", {"{a|b} c", "{a|b} d"}),
        (r"{a\|b|c}", {"a|b", "c"}),
        ("a // comment\nb", {"a \nb"}),
        ("a /* {x|y}\n */ b", {"a  b"}),
        ("a | b } c", {"a | b } c"}),
        ("{a|b", {"a", "b"}),
        ("a\\", {"a\\"}),
        (r"\(a\) \d", {r"\(a\) \d"}),
        ("", {""}),
    ],
)
def test_every_reading_comes_up_and_no_other(text: str, readings: set[str]):
    assert {drawn(text, seed) for seed in range(60)} == readings


def test_the_seed_decides():
    text = "{a|b|c|d|e|f|g|h} {a|b|c|d|e|f|g|h}"
    assert drawn(text, 7) == drawn(text, 7) == "g g"
    assert len({drawn(text, seed) for seed in range(500)}) > 50


@given(st.text("{|}\\ab/*\n", max_size=60), st.integers(0, 2**64 - 1))
def test_anything_is_drawn_alike_each_time(text: str, seed: int):
    assert drawn(text, seed) == drawn(text, seed)
    if not re.search(r"[\\/{}|]", text):
        assert drawn(text, seed) == text


def test_deep_choices_are_no_matter():
    deep = "{" * 100_000 + "x" + "}" * 100_000
    assert drawn(deep, 1) == "x"
    assert drawn("{" * 100_000, 1) == ""


def test_what_is_given_is_drawn_and_recorded(demo: Graph, catalogue: Catalogue):
    found = {bind(demo, [("prompt", "a {red|green} fox"), ("seed", seed)], catalogue).overrides["2.text"] for seed in range(40)}
    assert found == {"a red fox", "a green fox"}
    bound = bind(demo, [("seed", 3)], catalogue, words=["prompt", "a", "{red|green}", "fox"])
    assert bound.graph["2"]["inputs"]["text"] == bound.overrides["2.text"]
    again = bind(demo, list(bound.overrides.items()), catalogue)
    assert again.graph == bound.graph


def test_the_workflows_own_texts_are_drawn_only_where_the_editor_would_have(demo: Graph, catalogue: Catalogue):
    fresh = {
        "input": {"required": {"text": ["STRING", {"dynamicPrompts": True}], "clip": ["CLIP", {}]}},
        "output": ["CONDITIONING"],
    }
    drawing = catalogue.replace({"CLIPTextEncode": fresh})
    demo["2"]["inputs"]["text"] = "a {red|green} fox"
    assert bind(demo, [], drawing).graph["2"]["inputs"]["text"] == "a {red|green} fox"
    bound = bind(demo, [], drawing, draws=True)
    assert bound.graph["2"]["inputs"]["text"] in ("a red fox", "a green fox")
    assert bound.overrides == {}
    demo["7"]["inputs"]["filename_prefix"] = "{a|b}"
    assert bind(demo, [("7.filename_prefix", "{a|b}")], drawing, draws=True).overrides == {"7.filename_prefix": "{a|b}"}


def test_equal_texts_are_drawn_alike(demo: Graph, catalogue: Catalogue):
    text = "{a|b|c|d|e|f|g|h}"
    for seed in range(10):
        inputs = bind(demo, [("prompt", text), ("negative", text), ("seed", seed)], catalogue).overrides
        assert inputs["2.text"] == inputs["3.text"]
