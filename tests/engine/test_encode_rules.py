"""A text is encoded once, whichever node asks: with the bits of stock, and never from a text encoder that is another."""

from pathlib import Path
from typing import Any

import pytest

from . import rules


@pytest.fixture(scope="module")
def found(comfyui: Path) -> dict[str, Any]:
    return rules.told("encode", comfyui)


def test_the_same_tokens_are_encoded_once(found: dict[str, Any]) -> None:
    assert (found["first"], found["with a size"], found["in another form"]) == (1, 0, 0)
    assert (found["embedding 0"], found["embedding 1"], found["LoRA again"]) == (1, 0, 0)


@pytest.mark.parametrize("other", ["text", "weight", "layer", "model"])
def test_what_is_other_is_encoded(found: dict[str, Any], other: str) -> None:
    assert found[f"other {other}"] == 1


@pytest.mark.parametrize("other", ["unprojected", "embedding 2", "LoRA"])
def test_so_is_what_is_asked_for_or_patched_in_another_way(found: dict[str, Any], other: str) -> None:
    assert found[other] == 1


@pytest.mark.parametrize("how", ["with hooks", "hooked into", "replaced"])
def test_encoders_in_which_other_code_takes_part_are_asked_each_time(found: dict[str, Any], how: str) -> None:
    assert found[how] == 2


def test_what_was_kept_is_not_given_when_other_code_has_run(found: dict[str, Any]) -> None:
    assert found["after other code"] == 1


def test_numbers_among_the_tokens_are_told_apart(found: dict[str, Any]) -> None:
    assert found["scalar"]


def test_what_is_had_again_has_stocks_bits_whatever_a_node_has_done_to_it(found: dict[str, Any]) -> None:
    assert found["as stock"]


def test_encodes_are_bounded_and_go_with_their_model(found: dict[str, Any]) -> None:
    assert found["held"] == [0, 3]
    assert not found["of another model"]
    assert found["cleared"] == 1
