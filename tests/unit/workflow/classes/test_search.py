"""Finding node classes."""

from typing import Any

import pytest

from comfyd.workflow import Catalogue
from comfyd.workflow.classes.search import described, outputs, pack, search


def entry(title: str = "", module: str = "nodes", category: str = "", **inputs: Any) -> dict[str, Any]:
    return {
        "display_name": title,
        "python_module": module,
        "category": category,
        "input": {"required": inputs},
        "output": ["IMAGE", ["a", "b"]],
        "output_name": ["picture"],
    }


CATALOGUE = Catalogue(
    {
        "Sampler": entry("Sampler (Plain)", category="sampling"),
        "SamplerFancy": entry("Fancy", "custom_nodes.My-Pack.nodes"),
        "Latent": entry("Empty Latent", "comfy_extras.nodes_latent", "sampling/latent"),
        "Broken": None,
    }
)


def test_comfyuis_own_come_before_those_of_packs() -> None:
    known = Catalogue({"A": entry("Blur", "custom_nodes.pack"), "B": entry("Blur")})
    assert [found.name for found in search(known, ["blur"])] == ["B", "A"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["sampl"], ["Sampler", "SamplerFancy", "Latent"]),
        (["Sampler"], ["Sampler"]),
        (["my-pack"], ["SamplerFancy"]),
        (["sampling", "empty"], ["Latent"]),
        (["*fancy"], ["SamplerFancy"]),
        (["s*r"], ["Sampler"]),
        ([], ["Latent", "Sampler", "SamplerFancy", "Broken"]),
        (["nothing"], []),
    ],
)
def test_words_are_found_in_names_titles_categories_and_packs(words: list[str], names: list[str]) -> None:
    found = [one.name for one in search(CATALOGUE, words)]
    assert sorted(found) == sorted(names)
    if len(words) == 1:
        assert found == names


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("nodes", "ComfyUI"),
        ("comfy_extras.nodes_x", "ComfyUI"),
        ("custom_nodes.pack", "pack"),
        ("custom_nodes.pack.sub.module", "pack"),
        ("comfy_api_nodes.nodes_x", "ComfyUI API nodes"),
        ("", "unknown"),
    ],
)
def test_the_pack_of_a_module(module: str, name: str) -> None:
    assert pack(module) == name


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (["INT", {"min": 0, "max": 2**64 - 1, "default": 0}], "INT, 0..18446744073709551615, default 0"),
        (["FLOAT", {"min": 0.0, "max": 1.0, "step": 0.01, "default": 1.0}], "FLOAT, 0..1 step 0.01, default 1.0"),
        (["INT", {"min": 1}], "INT, 1.."),
        (["STRING", {"default": "a"}], "STRING, default 'a'"),
        (["MODEL"], "MODEL"),
        ([["x", "y"], {}], "COMBO"),
    ],
)
def test_an_input_in_a_few_words(spec: list[Any], words: str) -> None:
    node = Catalogue({"A": entry(value=spec)}).node("A")
    assert node is not None
    assert described(node.inputs["value"]) == words
    assert outputs(node) == [("picture", "IMAGE"), ("COMBO", "COMBO")]
