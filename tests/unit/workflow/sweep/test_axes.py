"""What is typed for a sweep becomes the values of its parameters, their combinations, and an order that costs little."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyd.errors import ComfydError, UsageError
from comfyd.protocol import Graph
from comfyd.workflow import load
from comfyd.workflow.graph.wiring import Wiring
from comfyd.workflow.naming.address import Names
from comfyd.workflow.sweep.axes import MOST, Axis, _several, axes, combinations, no_files, takes, varying
from comfyd.workflow.sweep.order import nested, ordered, reached
from tests.unit.workflow.test_properties import CATALOGUE, require_one_sentence

FILES = {"@prompts.txt": ["a fox", "an owl, at night"], "@seeds.txt": ["1..3", "7"], "in/*.png": ["in/a.png", "in/b.png"]}


def names(graph: Graph) -> Names:
    return Names(Wiring(graph, CATALOGUE))


@pytest.fixture
def values(demo: Graph) -> Callable[..., dict[str, list[Any]]]:
    """Name -> values of what is typed for the demo."""

    def of(*words: str, given: Any = ()) -> dict[str, list[Any]]:
        return {axis.name: list(axis.values) for axis in axes(words, given, names(demo), FILES.__getitem__)}

    return of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seed 1..4", {"seed": [1, 2, 3, 4]}),
        ("seed 1..8:3", {"seed": [1, 4, 7]}),
        ("seed 4..1", {"seed": [4, 3, 2, 1]}),
        ("seed 8..1:-3", {"seed": [8, 5, 2]}),
        ("seed 1..3,9,20..30:5", {"seed": [1, 2, 3, 9, 20, 25, 30]}),
        ("cfg 4,6.5,8", {"cfg": [4.0, 6.5, 8.0]}),
        ("denoise 0.1..0.7:0.1", {"denoise": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}),
        ("cfg 1..3", {"cfg": [1.0, 2.0, 3.0]}),
        ("sampler dpmpp_2m,heun", {"sampler": ["dpmpp_2m", "heun"]}),
        ("sampler DPMPP_2M_SDE_G,heunpp", {"sampler": ["dpmpp_2m_sde_gpu", "heunpp2"]}),
        ("prompt a fox, a hen and an owl", {"prompt": ["a fox, a hen and an owl"]}),
        ("prompt a seed of 1..8 seed 1..2", {"prompt": ["a seed of 1..8"], "seed": [1, 2]}),
        ("prompt a fox, red cfg 4,6 steps 5", {"prompt": ["a fox, red"], "cfg": [4.0, 6.0], "steps": [5]}),
        ("prompt @prompts.txt seed 3", {"prompt": ["a fox", "an owl, at night"], "seed": [3]}),
        ("prompt @home by the sea", {"prompt": ["@home by the sea"]}),
        ('prompt ["a","b"] seed 2', {"prompt": ["a", "b"], "seed": [2]}),
        ("prompt [a:b:0.5] c", {"prompt": ["[a:b:0.5] c"]}),
        ("seed @seeds.txt", {"seed": [1, 2, 3, 7]}),
        ("5.seed 1,2 negative blurry", {"5.seed": [1, 2], "negative": ["blurry"]}),
    ],
)
def test_ranges_lists_and_texts(values: Callable[..., dict[str, list[Any]]], line: str, expected: dict[str, list[Any]]):
    found = values(*line.split())
    assert found == expected
    assert [list(map(type, each)) for each in found.values()] == [list(map(type, each)) for each in expected.values()]


def test_random_seeds_are_as_many_as_asked_for(values: Callable[..., dict[str, list[Any]]]):
    found = values("seed", "random*5,7", "prompt", "x")["seed"]
    assert len(set(found)) == 6
    assert found[-1] == 7
    assert all(isinstance(seed, int) for seed in found)


def test_what_a_program_gives(values: Callable[..., dict[str, list[Any]]]):
    assert values(given=[("seed", range(2)), ("cfg", [4, 6]), ("steps", 5)]) == {"seed": [0, 1], "cfg": [4.0, 6.0], "steps": [5]}
    assert values("seed", "3", given=[("seed", "1..2"), ("cfg", "4,5")]) == {"cfg": [4.0, 5.0], "seed": [3]}


def test_files_of_the_user(demo: Graph):
    demo["8"] = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    demo["4"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}
    (found,) = axes(["image", "in/*.png"], [], names(demo), FILES.__getitem__)
    assert found.values == ("in/a.png", "in/b.png")
    (found,) = axes(["image", "./a.png,~/b.webp"], [], names(demo))
    assert found.values == ("./a.png", "~/b.webp")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["cfg", "0.5..1"], "'cfg', which is 5.cfg (KSampler), needs a step for '0.5..1', such as 0.5..1:0.1."),
        (["seed", "1..4:0"], "in steps of 0"),
        (["seed", "1..4:0.5"], "takes whole numbers"),
        (["seed", "1..999999999"], "at most 100,000"),
        (["seed", "+1"], "counts from another run"),
        (["seed", "random*0"], "has no value"),
        (["seed", "random*200000"], "more than 100,000 values"),
        (["seed", "1,2", "seed", "3"], "'seed' is given before"),
        (["seed", "1,2", "5.seed", "3"], "'5.seed' is given before as 'seed'"),
        (["cfg", "4,900"], "a number from 0.0 to 100.0, not 900.0"),
        (["cfg", "4,,5"], "not ''"),
        (["steps", "@steps.txt"], "cannot be read here"),
        (["seed", "1..2", "cfg"], "'cfg' has no value"),
    ],
)
def test_what_is_refused(demo: Graph, words: list[str], sentence: str):
    with pytest.raises(ComfydError) as refusal:
        axes(words, [], names(demo))
    require_one_sentence(refusal.value)
    assert sentence in refusal.value.message


def axis(name: str, *values: Any) -> Axis:
    return Axis(name, (("5", name),), values)


def test_products_and_pairs():
    two, three, one = axis("seed", 1, 2), axis("cfg", 4.0, 6.0, 8.0), axis("steps", 5)
    assert combinations([two, three]) == list(itertools.product((1, 2), (4.0, 6.0, 8.0)))
    assert combinations([two, axis("cfg", 4.0, 6.0), one], paired=True) == [(1, 4.0, 5), (2, 6.0, 5)]
    assert combinations([axis("seed", 1, 1, 2)]) == [(1,), (2,)]
    assert combinations([]) == [()]
    with pytest.raises(UsageError, match="seed has 2 and cfg has 3"):
        combinations([two, three, one], paired=True)
    with pytest.raises(UsageError, match="at most 100,000"):
        combinations([axis("seed", *range(MOST)), two])
    assert varying([two, one, three], combinations([two, one, three])) == [0, 2]


def test_what_is_upstream_changes_least(demo: Graph):
    wiring = Wiring(demo, CATALOGUE)
    typed = [("seed", [1, 2, 3]), ("cfg", [4, 6]), ("prompt", ["a", "b"]), ("model", ["x.safetensors", "y.safetensors"])]
    found = axes([], typed, Names(wiring))
    assert [found[at].name for at in nested(found, reached(found, wiring))] == ["model", "prompt", "seed", "cfg"]
    runs = ordered(found, combinations(found), wiring)
    assert runs[:3] == [(1, 4.0, "a", "x.safetensors"), (1, 6.0, "a", "x.safetensors"), (2, 4.0, "a", "x.safetensors")]
    assert executed(found, runs, wiring) == {"1": 2, "2": 4, "3": 2, "4": 1, "5": 24, "6": 24, "7": 24}
    naive = combinations(found)
    assert executed(found, naive, wiring) == {"1": 24, "2": 24, "3": 24, "4": 1, "5": 24, "6": 24, "7": 24}


def executed(found: list[Axis], runs: list[tuple[Any, ...]], wiring: Wiring) -> dict[str, int]:
    """How often each node runs where nothing but the last run's results are kept."""
    counts = dict.fromkeys(wiring.order, 0)
    before: dict[str, Any] = {}
    for run in runs:
        given = {address: value for axis, value in zip(found, run, strict=True) for address in axis.addresses}
        now: dict[str, Any] = {}
        for id_ in wiring.order:
            own = [value for (node, _), value in given.items() if node == id_]
            now[id_] = repr((own, [now[source] for _, source, _ in wiring.links(id_)]))
            counts[id_] += now[id_] != before.get(id_)
        before = now
    return counts


POSSIBLE = {
    "seed": st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
    "cfg": st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True),
    "prompt": st.lists(st.text(max_size=3), min_size=1, max_size=3, unique=True),
    "negative": st.lists(st.text(max_size=3), min_size=1, max_size=2, unique=True),
    "model": st.lists(st.sampled_from(["a.safetensors", "b.safetensors"]), min_size=1, unique=True),
    "width": st.lists(st.sampled_from([64, 128]), min_size=1, unique=True),
}


@given(st.permutations(sorted(POSSIBLE)), st.data())
def test_the_order_loses_nothing_and_no_other_nesting_costs_less(typed: list[str], data: st.DataObject):
    demo = load("demo").api or {}
    wiring = Wiring(demo, CATALOGUE)
    found = axes([], [(name, data.draw(POSSIBLE[name])) for name in typed[:4]], Names(wiring))
    every = combinations(found)
    runs = ordered(found, every, wiring)
    assert sorted(map(repr, runs)) == sorted(map(repr, every))
    weights = {"1": 1000, "2": 10, "3": 10, "4": 1, "5": 10, "6": 10, "7": 1}

    def total(order: list[tuple[Any, ...]]) -> int:
        return sum(weights[id_] * count for id_, count in executed(found, order, wiring).items())

    assert total(runs) == min(
        total(sorted(every, key=lambda one: [found[at].values.index(one[at]) for at in nest]))
        for nest in itertools.permutations(range(len(found)))
    )


@given(st.decimals(-50, 50, places=2), st.decimals("0.01", 3, places=2), st.integers(0, 40))
def test_a_range_ends_where_it_says(low: Any, step: Any, count: int):
    text = f"{low}..{low + step * count}:{step}"
    spec = Names(Wiring(load("demo").api or {}, CATALOGUE)).spec("denoise")
    assert spec is not None
    assert takes(spec, text)
    found = _several(spec, text, no_files, seed=False)
    assert found == [float(low + step * at) for at in range(count + 1)]


@given(
    st.lists(
        st.sampled_from(["seed", "cfg", "prompt", "1..3", "4,6", "a", "@x", "..", "1..", ",", "random*2", "5.seed", "[1,2]"])
    )
)
def test_any_words_become_axes_or_one_sentence(words: list[str]):
    try:
        found = axes(words, [], names(load("demo").api or {}))
    except ComfydError as error:
        require_one_sentence(error)
    else:
        assert all(axis.values for axis in found)
