"""When a model's calls are compiled, when they are compared, and what becomes of one that differs."""

import re
from pathlib import Path
from typing import Any

import pytest

from . import rules


@pytest.fixture(scope="module")
def found(comfyui: Path) -> dict[str, Any]:
    return rules.told("fast", comfyui)


def test_a_call_that_is_close_is_kept(found: dict[str, Any]) -> None:
    assert found["close"] < 1e-4
    assert found["blocks"] > 0


def test_the_first_call_of_each_shape_is_compared(found: dict[str, Any]) -> None:
    assert found["said"] == found["said twice"] == ["compiling"]
    assert found["said of another shape"] == ["compiling", "compiling"]


def test_exact_jobs_and_patched_calls_are_not_compiled(found: dict[str, Any]) -> None:
    assert found["blocks of an exact job"] == 0
    assert found["blocks under a patch"] < found["blocks"]


def test_both_calls_of_a_comparison_have_the_controlnets_residuals(found: dict[str, Any]) -> None:
    assert found["with residuals"] < 1e-4
    assert found["mode with residuals"] == "fast"


def test_an_exact_call_of_a_model_that_fast_jobs_had_has_the_exact_bits(found: dict[str, Any]) -> None:
    assert found["exact after fast"]
    assert found["put back"]
    assert found["reordered for fast again"]


def test_a_block_is_compiled_only_in_calls_that_were_compared_with_it(found: dict[str, Any]) -> None:
    assert found["blocks beside patched ones"] > 0
    assert found["mode beside patched ones"] == "fast"
    assert found["unpatched after patched is exact"]
    assert found["mode of unpatched after patched"] == "exact"


def test_a_call_that_differs_is_refused_for_good(found: dict[str, Any]) -> None:
    assert found["refused is exact"]
    assert found["contiguous"]
    assert found["later calls are exact"]
    assert found["mode after it"] == found["mode of later jobs"] == "exact"
    assert found["why"].startswith("its result is 0.0")
    assert found["why"].endswith("more than 0.005")


def test_a_decoder_is_measured_in_decibels_of_which_more_is_closer(found: dict[str, Any]) -> None:
    assert re.search(r"VAE is compiled \(.*\), \d+ dB from exact", found["log of a decoder"])
    assert re.fullmatch(r"its result is -?[\d.]+ dB from exact, less than 42 dB", found["why no decoder"])
    assert found["mode of its job"] == "fast"


def test_what_is_too_coarse_for_a_model_is_not_tried_again(found: dict[str, Any]) -> None:
    assert found["after a coarse try"] < 1e-4
    assert found["later calls after it"] < 1e-4
    assert found["factors of later calls"] == [1.0]
    assert found["mode after a coarse try"] == "fast"


def test_what_fails_for_a_model_is_not_tried_again(found: dict[str, Any]) -> None:
    assert found["after a try that failed"] < 1e-4
    assert found["mode after a try that failed"] == "fast"


def test_a_small_decoder_is_quick_in_bfloat16_and_nothing_is_compiled(found: dict[str, Any]) -> None:
    assert 42 < found["decibels in bfloat16"] < 90
    assert found["type"] == "torch.float32"
    assert found["in bfloat16 as at first"]
    assert found["decoded exactly afterwards"]
    assert found["said of bfloat16"] == []
