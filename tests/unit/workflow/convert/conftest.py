"""Node classes of ComfyUI, and probes: classes that have every kind of input and output the editor treats in its own way."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.convert import convert

HERE = Path(__file__).parent
CATALOGUE = Catalogue(json.loads((HERE / "catalogue.json").read_text()))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return CATALOGUE


@pytest.fixture(scope="session")
def converted(catalogue: Catalogue) -> Callable[[Any], Graph]:
    return lambda ui: convert(ui, catalogue)
