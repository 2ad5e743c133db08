"""The command that makes a run's result again, read back as the shell would."""

import shlex

import pytest
from comfyd_cli.completion.index import Index
from comfyd_cli.parse import find, parse
from comfyd_cli.prompt.naming import named, written
from comfyd_cli.prompt.reproduction import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfyd.workflow import bind


def test_names_as_they_were_typed_then_aliases_then_addresses(index: Index):
    overrides = {"2.text": "a red fox", "5.seed": 42, "7.filename_prefix": "x y"}
    assert command("demo", overrides, index) == "comfyd run demo prompt 'a red fox' seed 42 7.filename_prefix 'x y'"
    assert command("demo", overrides, index, names=["5.seed"]).startswith("comfyd run demo 5.seed 42 prompt")
    assert command("my flow.json", {"5.cfg": 2.0}, None, mode="fast") == "comfyd run 'my flow.json' --mode fast 5.cfg 2.0"
    assert command("demo", {}, index) == "comfyd run demo"


def test_values_of_other_types():
    assert [written(value) for value in (True, None, 1.5, ["a", 1], "a {b|c}", "a|b")] == [
        "true",
        "null",
        "1.5",
        '["a", 1]',
        "a \\{b\\|c\\}",
        "a|b",
    ]


def test_a_name_for_several_inputs_only_where_they_are_equal(index: Index):
    assert named({"5.seed": 1}, index, ["nonsense", "seed"]) == [("seed", 1)]
    assert named({"99.x": 1}, index) == [("99.x", 1)]


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_read_back_as_the_same_values(index: Index, text: str, seed: int):
    overrides = bind(index.graph, [("prompt", text), ("seed", seed), ("steps", 5)], index.catalogue).overrides
    tokens = shlex.split(command("demo", overrides, index, names=["prompt", "seed"]))[1:]
    found, rest = find(tokens)
    words = parse(found, rest)["words"]
    assert bind(index.graph, [], index.catalogue, words=words).overrides == overrides


@pytest.mark.parametrize("text", ["-x", "--json", "-", "--", "seed", "seed 5", ""])
def test_texts_that_look_like_something_else(text: str, index: Index):
    test_it_is_read_back_as_the_same_values.hypothesis.inner_test(index, text, 7)
