"""Seeds that are random or relative to the last run's."""

import pytest

from comfyd.errors import InvalidValue
from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, bind


def seed(demo: Graph, catalogue: Catalogue, value: str, **last: int) -> object:
    return bind(demo, [("seed", value)], catalogue, last={f"{name[1:]}.seed": number for name, number in last.items()}).overrides[
        "5.seed"
    ]


def test_random_seeds_are_in_range_and_recorded(demo: Graph, catalogue: Catalogue):
    found = [bind(demo, [("seed", "random")], catalogue) for _ in range(50)]
    values = [bound.overrides["5.seed"] for bound in found]
    assert len(set(values)) == 50
    assert all(0 <= value < 2**64 for value in values)
    assert max(values) > 2**60
    assert [bound.graph["5"]["inputs"]["seed"] for bound in found] == values


def test_a_small_range_is_kept(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "RandomNoise", "inputs": {"noise_seed": 1}}
    small = {"input": {"required": {"noise_seed": ["INT", {"min": -5, "max": 2}]}}, "output": ["NOISE"]}
    drawn = {
        bind(demo, [("8.noise_seed", "random")], catalogue.replace({"RandomNoise": small})).overrides["8.noise_seed"]
        for _ in range(99)
    }
    assert drawn == {0, 1, 2}


def test_relative_seeds_count_from_the_last_run_or_the_workflows_own(demo: Graph, catalogue: Catalogue):
    assert seed(demo, catalogue, "+1") == 43
    assert seed(demo, catalogue, "-2") == 40
    assert seed(demo, catalogue, "+1", _5=100) == 101
    assert seed(demo, catalogue, "-1", _5=100) == 99
    assert seed(demo, catalogue, "7", _5=100) == 7


def test_a_seed_from_a_primitive(demo: Graph, catalogue: Catalogue):
    demo["20"] = {"class_type": "PrimitiveInt", "inputs": {"value": 3}}
    demo["5"]["inputs"]["seed"] = ["20", 0]
    assert bind(demo, [("seed", "-1")], catalogue).overrides == {"20.value": 2}
    assert bind(demo, [("20.value", "-1")], catalogue).overrides == {"20.value": -1}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("seed", "-43", "takes an integer from 0 to"),
        ("seed", "+99999999999999999999", "takes an integer from 0 to"),
        ("steps", "random", "not 'random'"),
        ("steps", "-1", "not -1"),
        ("seed", "-", "not '-'"),
        ("seed", "random ", "not 'random '"),
    ],
)
def test_what_is_no_seed(demo: Graph, catalogue: Catalogue, name: str, value: str, reason: str):
    with pytest.raises(InvalidValue, match=reason):
        bind(demo, [(name, value)], catalogue)


def test_a_seed_that_is_no_number_cannot_be_counted_from(demo: Graph, catalogue: Catalogue):
    demo["5"]["inputs"]["seed"] = "x"
    with pytest.raises(InvalidValue, match=r"has no seed that '\+1' could count from"):
        bind(demo, [("seed", "+1")], catalogue)
