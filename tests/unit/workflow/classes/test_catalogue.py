"""The catalogue: reading, replacing, and classes whose description is odd."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from comfyd.errors import Unavailable
from comfyd.workflow import Catalogue

RAW = {"input": {"required": {"a": ["INT", {"min": 1}]}}, "output": ["INT"], "output_node": True}


def written(path: Path, nodes: Any, format: int = 1) -> Path:
    file = path / "catalogue.json"
    file.write_text(json.dumps({"format": format, "comfyui": "0.30.0", "nodes": nodes}))
    return file


def test_a_class(catalogue: Catalogue):
    sampler = catalogue.node("KSampler")
    assert sampler is not None
    assert sampler is catalogue.node("KSampler")
    assert sampler.inputs["seed"].maximum == 2**64 - 1
    assert sampler.inputs["sampler_name"].kind == "COMBO"
    assert sampler.outputs == ("LATENT",)
    assert catalogue.node("Nope") is None
    assert "VAEDecode" in catalogue.names()


def test_infinity_as_a_limit(tmp_path: Path):
    nodes = {"A": {"input": {"required": {"a": ["FLOAT", {"max": math.inf}]}}}}
    node = Catalogue.read(written(tmp_path, nodes)).node("A")
    assert node is not None
    assert node.inputs["a"].maximum == math.inf


def test_fresh_entries_replace_old_ones(tmp_path: Path):
    old = Catalogue.read(written(tmp_path, {"A": RAW, "B": RAW}))
    kept = old.node("B")
    new = old.replace({"A": {**RAW, "output": ["FLOAT"]}, "C": RAW, "B2": None})
    assert new.node("A").outputs == ("FLOAT",)  # type: ignore[union-attr]
    assert new.node("C") is not None
    assert new.node("B") is kept
    assert old.node("A").outputs == ("INT",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 2, "nodes": {}}', b'{"format": 1, "nodes": []}']
)
def test_unusable_files(tmp_path: Path, content: bytes):
    file = tmp_path / "c.json"
    file.write_bytes(content)
    with pytest.raises(Unavailable, match="restart"):
        Catalogue.read(file)
    with pytest.raises(Unavailable):
        Catalogue.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {"input": None, "output": None},
        {"input": {"required": None, "optional": 3}},
        {
            "input": {"required": {"a": None, "b": [], "c": "INT", "d": [3], "e": ["INT", 5], "f": [None, {}]}},
            "output": [None, 3],
        },
        {"input": {"required": {"a": [[{"x": 1}, []], {}], "b": ["COMBO", {"options": None}]}}, "output_name": [1]},
        {"input": {"required": {"a": ["INT", {"min": "low", "max": None}]}}, "display_name": 3, "validates": "x"},
        {
            "input": {
                "required": {"a": ["COMFY_AUTOGROW_V3"], "b": ["COMFY_AUTOGROW_V3", {"template": {"max": 10**9, "input": 3}}]}
            }
        },
        {"input": {"required": {"a": ["COMFY_DYNAMICCOMBO_V3", {"options": [3, {"key": "x", "inputs": 3}]}]}}},
    ],
)
def test_odd_descriptions_are_survived(raw: Any):
    node = Catalogue({"Odd": raw}).node("Odd")
    assert node is not None
    assert isinstance(dict(node.inputs_for({"a": "x", "b": 1})), dict)
