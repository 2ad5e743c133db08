"""Merged weights are those that the engine's own streaming leaves on a GPU, and LoRAs of any kind follow each other."""

from pathlib import Path
from typing import Any

import pytest

from . import rules


@pytest.fixture(scope="module")
def found(comfyui: Path) -> dict[str, Any]:
    return rules.told("merge", comfyui)


def test_text_encoders_have_the_weights_that_streaming_leaves(found: dict[str, Any]) -> None:
    told = {key.split(".")[-2]: rule for key, rule in found["encoder"].items()}
    assert all(told[name]["later"] for name in ("fc1", "q_proj", "token_embedding"))
    assert told["fc1"]["asked"] == told["q_proj"]["asked"] == "torch.float32"
    assert not told["fc1"]["first"]


def test_position_embeddings_are_read_past_their_patches(found: dict[str, Any]) -> None:
    (rule,) = (rule for key, rule in found["encoder"].items() if "position_embedding" in key)
    assert rule == {"asked": "no", "as pristine": True}


def test_loras_that_reshape_a_weight_come_and_go(found: dict[str, Any]) -> None:
    narrow, wide = [128, 64], [128, 128]
    assert found["reshaping"]["shapes"] == [narrow, wide, wide, narrow, narrow, wide]
    assert all(found["reshaping"]["equal"])
    assert found["reshaping"]["put back"]


def test_layers_that_are_not_the_engines_are_not_patched(found: dict[str, Any]) -> None:
    assert found["plain"]["left"] == [True, True]
