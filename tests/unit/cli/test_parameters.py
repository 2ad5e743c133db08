"""How parameters are shown."""

import json

import pytest
from comfyd_cli.parameters import limits, rows, show

from comfyd.workflow import Parameter

from .conftest import Recorded

SEED = Parameter("5.seed", ("seed",), "KSampler", "KSampler", "INT", value=42, min=0, max=2.0**64)
SAMPLER = Parameter(
    "5.sampler_name", ("sampler",), "KSampler", "KSampler", "COMBO", value="euler", choices=("euler", "a", "b", "c", "d")
)
PREFIX = Parameter("7.filename_prefix", (), "Save Image", "SaveImage", "STRING", value="")


def test_plain_names_come_first_and_set_values_are_marked():
    found = rows([PREFIX, SEED, SAMPLER], {"seed": "7"})
    assert [row[0] for row in found] == ["seed", "sampler", ""]
    assert [row[4] for row in found] == ["* 7", "euler", '""']


def test_names_of_ones_own_stand_where_the_plain_ones_do_and_numbers_count():
    own = Parameter("8.cfg", ("hot", "cfg"), "Refiner", "KSampler", "FLOAT", value=1.0)
    numbered = [Parameter(f"{n}.text", (f"prompt.{n}",), "", "", "STRING", value="") for n in (10, 9, 2)]
    found = rows([PREFIX, *numbered, SAMPLER, own, SEED], {})
    assert [row[0] for row in found] == ["prompt.2", "prompt.9", "prompt.10", "seed", "hot, cfg", "sampler", ""]


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (SEED, "from 0"),
        (SAMPLER, "euler, a, b and 2 more"),
        (PREFIX, ""),
        (Parameter("a", (), "", "", "FLOAT", min=0, max=1), "0 to 1"),
        (Parameter("a", (), "", "", "FLOAT", max=0.5), "to 0.5"),
    ],
)
def test_limits(parameter: Parameter, text: str):
    assert limits(parameter) == text


def test_json_names_its_type_first(terminal: Recorded):
    show([SEED], terminal, json=True)
    assert terminal.out_lines[0].startswith('{"type":"Parameters"')
    assert json.loads(terminal.out_lines[0])["parameters"][0]["address"] == "5.seed"
