"""Small models of every kind whose calls become graphs do nothing that a graph would freeze; a GPU is only made believe in."""

from pathlib import Path
from typing import Any

import pytest

from . import rules


@pytest.fixture(scope="module")
def told(comfyui: Path) -> dict[str, Any]:
    return rules.told("capture", comfyui)


def test_nothing_would_be_frozen(told: dict[str, Any]) -> None:
    assert {name: why for name, why in told["found"].items() if why} == {}
    assert "reads a value back" in told["control"]


def test_every_method_was_looked_at(told: dict[str, Any]) -> None:
    parent = "comfy.ldm.models.autoencoder.AutoencodingEngine."  # whose methods the legacy engine's replace
    assert {name for name in set(told["methods"]) - set(told["reached"]) if not name.startswith(parent)} == set()
