"""Words without quotes become names and values by what the workflow's parameters take."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyd.errors import ComfydError, UnknownParameter, UsageError
from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, bind, load, pairs_of
from tests.unit.workflow.test_properties import CATALOGUE, require_one_sentence


@pytest.fixture
def paired(demo: Graph, catalogue: Catalogue) -> Callable[..., list[tuple[str, str]]]:
    return lambda *words: pairs_of(words, demo, catalogue, {"hero": "2.text"})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("prompt a seed in the soil seed 42", [("prompt", "a seed in the soil"), ("seed", "42")]),
        ("prompt a seed seed 42", [("prompt", "a seed"), ("seed", "42")]),
        ("prompt a fox with seed", [("prompt", "a fox with seed")]),
        ("prompt seed seed 3", [("prompt", "seed"), ("seed", "3")]),
        ("seed 42 prompt a fox cfg 3.5 steps 8", [("seed", "42"), ("prompt", "a fox"), ("cfg", "3.5"), ("steps", "8")]),
        ("prompt four steps up steps 0", [("prompt", "four steps up"), ("steps", "0")]),
        ("prompt a fox seed +1", [("prompt", "a fox"), ("seed", "+1")]),
        ("prompt a fox seed random", [("prompt", "a fox"), ("seed", "random")]),
        ("prompt a random seed of doubt", [("prompt", "a random seed of doubt")]),
        ("prompt a sampler of heun sampler heun", [("prompt", "a sampler of heun"), ("sampler", "heun")]),
        ("prompt a fox negative blurry and dark", [("prompt", "a fox"), ("negative", "blurry and dark")]),
        ("prompt a model in white model sd15", [("prompt", "a model in white"), ("model", "sd15")]),
        ("prompt 5.seed of stars 5.seed 7", [("prompt", "5.seed of stars"), ("5.seed", "7")]),
        ("hero a fox. And more. seed 1", [("hero", "a fox. And more."), ("seed", "1")]),
        ("prompt width of a fox width 64 height 64", [("prompt", "width of a fox"), ("width", "64"), ("height", "64")]),
        ("", []),
    ],
)
def test_texts_run_up_to_the_next_name_whose_value_fits(
    paired: Callable[..., list[tuple[str, str]]], line: str, expected: list[tuple[str, str]]
):
    assert paired(*line.split()) == expected


def test_a_file_ends_a_text(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    demo["4"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}
    words = ["prompt", "an", "image", "of", "an", "image.", "And", "so", "image", "~/a.webp"]
    assert pairs_of(words, demo, catalogue) == [("prompt", "an image of an image. And so"), ("image", "~/a.webp")]
    assert pairs_of(["prompt", "a", "image", "cat.gif"], demo, catalogue) == [("prompt", "a"), ("image", "cat.gif")]
    assert pairs_of(["prompt", "a", "image", "example"], demo, catalogue) == [("prompt", "a"), ("image", "example")]


def test_a_quoted_text_is_one_word_and_the_end(paired: Callable[..., list[tuple[str, str]]]):
    assert paired("prompt", "steps 3 seed 4", "seed", "5") == [("prompt", "steps 3 seed 4"), ("seed", "5")]
    assert paired("prompt", "", "seed", "5") == [("prompt", ""), ("seed", "5")]
    assert paired("prompt", "a", "red fox", "seed", "5") == [("prompt", "a red fox"), ("seed", "5")]
    with pytest.raises(UnknownParameter, match="After prompt 'a fox': unknown parameter 'here'"):
        paired("prompt", "a fox", "here")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("seed", "'seed' has no value"),
        ("prompt a fox seed 1 steps", "After prompt 'a fox', seed '1': 'steps' has no value"),
        ("seed 42 43", "After seed '42': unknown parameter '43'"),
        ("sed 42", "Unknown parameter 'sed'; did you mean 'seed'"),
        ("seed 1 cfg=3", "Write 'cfg 3' instead of 'cfg=3'"),
        ("prompt seed 42", "'prompt' has no text before seed '42'; put quotes around"),
    ],
)
def test_what_cannot_be_paired(paired: Callable[..., list[tuple[str, str]]], line: str, reason: str):
    with pytest.raises((UnknownParameter, UsageError)) as error:
        paired(*line.split())
    assert reason in error.value.message
    require_one_sentence(error.value)


def test_words_bind_after_overrides(demo: Graph, catalogue: Catalogue):
    bound = bind(demo, [("seed", 1), ("cfg", 2)], catalogue, words=["prompt", "a", "red", "fox", "seed", "5"])
    assert bound.overrides == {"5.seed": 5, "5.cfg": 2.0, "2.text": "a red fox"}


NAMES = ["prompt", "negative", "seed", "cfg", "model", "2.text", "5.seed", "Positive Prompt.text", "sampler", "hero"]
WORDS = st.sampled_from([*NAMES, "a", "42", "+1", "1.5", "heun", "sd15", "random", "etc.", "x.y.z", "in the"]) | st.text(
    max_size=5
)


@given(st.lists(WORDS, max_size=12))
def test_pairing_loses_nothing(words: list[str]):
    try:
        pairs = pairs_of(words, load("demo").api or {}, CATALOGUE, {"hero": "2.text"})
    except ComfydError as error:
        require_one_sentence(error)
    else:
        joined = " ".join(part for name, value in pairs for part in (name, value))
        assert joined == " ".join(words)


@given(st.lists(WORDS, max_size=8))
def test_words_are_bound_or_refused(words: list[str]):
    try:
        bound = bind(load("demo").api or {}, [], CATALOGUE, words=words, last={"5.seed": 3})
    except ComfydError as error:
        require_one_sentence(error)
    else:
        kinds = {"seed": int, "cfg": float, "text": str}
        assert all(type(value) is kinds.get(address.split(".")[1], type(value)) for address, value in bound.overrides.items())
