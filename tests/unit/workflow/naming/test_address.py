"""Names of parameters: aliases found by following links, ids, titles, and what is said when none fits."""

from collections.abc import Callable

import pytest

from comfyd.errors import AmbiguousParameter, UnknownParameter
from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, bind, parameters


def bound(graph: Graph, catalogue: Catalogue, name: str, value: object) -> dict[str, object]:
    return bind(graph, [(name, value)], catalogue).overrides


@pytest.mark.parametrize(
    ("alias", "value", "expected"),
    [
        ("prompt", "x", {"2.text": "x"}),
        ("negative", "x", {"3.text": "x"}),
        ("seed", "1", {"5.seed": 1}),
        ("steps", "1", {"5.steps": 1}),
        ("cfg", "1", {"5.cfg": 1.0}),
        ("sampler", "heun", {"5.sampler_name": "heun"}),
        ("scheduler", "karras", {"5.scheduler": "karras"}),
        ("denoise", "0.5", {"5.denoise": 0.5}),
        ("width", "64", {"4.width": 64}),
        ("height", "64", {"4.height": 64}),
        ("batch", "2", {"4.batch_size": 2}),
        ("model", "sd15.safetensors", {"1.ckpt_name": "sd15.safetensors"}),
    ],
)
def test_aliases_of_the_demo(demo: Graph, catalogue: Catalogue, alias: str, value: str, expected: dict[str, object]):
    assert bound(demo, catalogue, alias, value) == expected


@pytest.mark.parametrize(
    ("alias", "value", "expected"),
    [
        ("prompt", "x", {"4.clip_l": "x", "4.t5xxl": "x"}),
        ("seed", 2**64 - 1, {"10.noise_seed": 2**64 - 1}),
        ("steps", "4", {"13.steps": 4}),
        ("sampler", "heun", {"12.sampler_name": "heun"}),
        ("scheduler", "beta", {"13.scheduler": "beta"}),
        ("denoise", "1", {"13.denoise": 1.0}),
        ("width", "512", {"6.value": 512}),
        ("height", "512", {"7.value": 512}),
        ("8.height", "512", {"7.value": 512}),
        ("batch", "2", {"8.batch_size": 2}),
        ("model", "flux", {"1.unet_name": "flux1-dev.safetensors"}),
    ],
)
def test_aliases_behind_a_custom_sampler(
    graph: Callable[[str], Graph], catalogue: Catalogue, alias: str, value: str, expected: dict[str, object]
):
    assert bound(graph("flux"), catalogue, alias, value) == expected


@pytest.mark.parametrize("alias", ["negative", "cfg"])
def test_an_alias_that_leads_nowhere(graph: Callable[[str], Graph], catalogue: Catalogue, alias: str):
    with pytest.raises(UnknownParameter, match=f"answers to '{alias}'"):
        bound(graph("flux"), catalogue, alias, "1")


def test_two_samplers_share_what_they_share(graph: Callable[[str], Graph], catalogue: Catalogue):
    both = graph("controlnet")
    assert bound(both, catalogue, "prompt", "x") == {"4.value": "x"}
    assert bound(both, catalogue, "negative", "x") == {"6.text": "x"}
    assert bound(both, catalogue, "width", "640") == {"10.width": 640}
    assert bound(both, catalogue, "model", "sdxl") == {"1.ckpt_name": "sdxl/base.safetensors"}


@pytest.mark.parametrize("alias", ["seed", "steps", "cfg", "sampler", "denoise"])
def test_of_two_samplers_the_last_is_meant(graph: Callable[[str], Graph], catalogue: Catalogue, alias: str):
    value = "heun" if alias == "sampler" else "1"
    name = "sampler_name" if alias == "sampler" else alias
    for typed, id_ in ((alias, "13"), (f"base.{alias}", "11"), (f"11.{alias}", "11"), (f"13.{alias}", "13")):
        assert list(bound(graph("controlnet"), catalogue, typed, value)) == [f"{id_}.{name}"]


def test_one_primitive_for_both_seeds(graph: Callable[[str], Graph], catalogue: Catalogue):
    both = graph("controlnet")
    both["20"] = {"class_type": "PrimitiveInt", "inputs": {"value": 3}}
    both["11"]["inputs"]["seed"] = both["13"]["inputs"]["seed"] = ["20", 0]
    assert bound(both, catalogue, "seed", "5") == {"20.value": 5}


def test_a_sampler_nothing_needs_does_not_count(demo: Graph, catalogue: Catalogue):
    demo["9"] = {"class_type": "KSampler", "inputs": dict(demo["5"]["inputs"])}
    assert bound(demo, catalogue, "seed", "1") == {"5.seed": 1}


def test_a_zeroed_positive_text_is_no_negative_prompt(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["2", 0]}}
    demo["5"]["inputs"]["negative"] = ["8", 0]
    with pytest.raises(UnknownParameter):
        bound(demo, catalogue, "negative", "x")
    assert bound(demo, catalogue, "prompt", "x") == {"2.text": "x"}


def test_combined_texts_are_ambiguous(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "CLIPTextEncode", "inputs": {"text": "b", "clip": ["1", 1]}}
    demo["9"] = {"class_type": "ConditioningCombine", "inputs": {"conditioning_1": ["2", 0], "conditioning_2": ["8", 0]}}
    demo["5"]["inputs"]["positive"] = ["9", 0]
    with pytest.raises(AmbiguousParameter, match=r"prompt\.1 \(2\.text\), prompt\.2 \(8\.text\)"):
        bound(demo, catalogue, "prompt", "x")


def test_a_text_made_of_texts(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "PrimitiveString", "inputs": {"value": "a"}}
    demo["9"] = {"class_type": "StringConcatenate", "inputs": {"string_a": ["8", 0], "string_b": "b", "delimiter": ", "}}
    demo["2"]["inputs"]["text"] = ["9", 0]
    assert bound(demo, catalogue, "prompt", "x") == {"8.value": "x"}
    assert bound(demo, catalogue, "9.string_b", "x") == {"9.string_b": "x"}
    with pytest.raises(UnknownParameter, match=r"fed by node 9 \(StringConcatenate\); set one of 9\.string_b"):
        bound(demo, catalogue, "2.text", "x")


def test_image_to_video_has_its_own_latent(graph: Callable[[str], Graph], catalogue: Catalogue):
    video = graph("controlnet")
    video["10"] = {
        "class_type": "WanImageToVideo",
        "inputs": {
            "positive": ["5", 0],
            "negative": ["6", 0],
            "vae": ["1", 2],
            "width": 512,
            "height": 512,
            "length": 5,
            "batch_size": 1,
        },
    }
    for sampler in ("11", "13"):
        video[sampler]["inputs"].update(positive=["10", 0], negative=["10", 1])
    video["11"]["inputs"]["latent_image"] = ["10", 2]
    assert bound(video, catalogue, "prompt", "x") == {"4.value": "x"}
    assert bound(video, catalogue, "negative", "x") == {"6.text": "x"}
    assert bound(video, catalogue, "height", "480") == {"10.height": 480}


def test_latent_of_an_image_has_no_width(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    demo["4"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}
    with pytest.raises(UnknownParameter, match="width"):
        bound(demo, catalogue, "width", "64")


def test_titles(demo: Graph, catalogue: Catalogue):
    assert bound(demo, catalogue, "POSITIVE prompt.text", "x") == {"2.text": "x"}
    demo["2"]["_meta"]["title"] = "SD1.5 Prompt"
    assert bound(demo, catalogue, "SD1.5 Prompt.text", "x") == {"2.text": "x"}
    demo["3"]["_meta"]["title"] = "sd1.5 prompt"
    with pytest.raises(AmbiguousParameter, match=r"2\.text, 3\.text"):
        bound(demo, catalogue, "SD1.5 Prompt.text", "x")
    del demo["5"]["_meta"]
    assert bound(demo, catalogue, "ksampler.seed", "1") == {"5.seed": 1}


def test_ids_with_colons_and_dots(demo: Graph, catalogue: Catalogue):
    demo["12:3.1"] = demo.pop("5")
    demo["6"]["inputs"]["samples"] = ["12:3.1", 0]
    assert bound(demo, catalogue, "12:3.1.seed", "1") == {"12:3.1.seed": 1}


def test_an_optional_input_that_the_workflow_leaves_out(graph: Callable[[str], Graph], catalogue: Catalogue):
    flux = graph("flux")
    del flux["1"]["inputs"]["weight_dtype"]
    assert bound(flux, catalogue, "1.weight_dtype", "default") == {"1.weight_dtype": "default"}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sed", "did you mean 'seed'?"),
        ("5.sed", "did you mean '5.seed'?"),
        ("Positive Promt.text", "did you mean 'Positive Prompt.text'?"),
        ("filename_prefix", "did you mean 7.filename_prefix?"),
        ("zzzzzzzz", "give an alias such as prompt or seed"),
        ("", "give an alias"),
        (".", "give an alias"),
        ("6.samples", "fed by node 5 (KSampler); set one of 5.seed"),
        ("a\x1b.b", "'a\\x1b.b'"),
        ("x" * 10_000, "…"),
    ],
)
def test_unknown_names(demo: Graph, catalogue: Catalogue, name: str, hint: str):
    with pytest.raises(UnknownParameter) as error:
        bound(demo, catalogue, name, "1")
    assert hint in error.value.message
    assert len(error.value.message) < 400


def test_parameters_of_the_demo(demo: Graph, catalogue: Catalogue):
    found = {parameter.address: parameter for parameter in parameters(demo, catalogue)}
    seed = found["5.seed"]
    assert (seed.aliases, seed.title, seed.type, seed.value, seed.min, seed.max) == (
        ("seed",),
        "KSampler",
        "INT",
        42,
        0,
        2**64 - 1,
    )
    assert found["1.ckpt_name"].choices == ("comfyd-demo.safetensors", "sd15.safetensors", "sdxl/base.safetensors")
    assert "5.model" not in found
    assert {alias for parameter in found.values() for alias in parameter.aliases} == {
        *("prompt", "negative", "seed", "steps", "cfg", "sampler", "scheduler"),
        *("denoise", "width", "height", "batch", "model"),
    }


def test_every_parameter_can_be_set_to_its_own_value(graph: Callable[[str], Graph], catalogue: Catalogue):
    for name in ("flux", "controlnet", "dynamic"):
        for parameter in parameters(graph(name), catalogue):
            if parameter.value is not None:
                assert bound(graph(name), catalogue, parameter.address, parameter.value) == {parameter.address: parameter.value}
