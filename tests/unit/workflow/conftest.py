"""An excerpt of a real catalogue, and graphs of kinds people have."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, load

HERE = Path(__file__).parent

# A busy machine is no defect: how long one example takes is not judged.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.read(HERE / "catalogue.json")


@pytest.fixture
def demo() -> Graph:
    return load("demo").api or {}


@pytest.fixture
def graph() -> Callable[[str], Graph]:
    """A fresh graph by name: flux, controlnet (two samplers) or dynamic (V3 inputs)."""

    def read(name: str) -> Graph:
        found: dict[str, Any] = json.loads((HERE / "graphs" / f"{name}.json").read_text())
        return found

    return read
