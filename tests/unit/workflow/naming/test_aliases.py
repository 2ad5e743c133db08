"""What the plain names lead to in the workflows that people begin with, and how each of several is told apart."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from comfyd.errors import AmbiguousParameter, UnknownParameter
from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, bind, parameters
from comfyd.workflow.graph.wiring import Wiring
from comfyd.workflow.naming.address import Names, canonical

from . import wellknown
from .wellknown import node

HERE = Path(__file__).parent
OWN = {"seed": "3.seed", "steps": "3.steps", "cfg": "3.cfg", "sampler": "3.sampler_name", "scheduler": "3.scheduler"}
OWN |= {"denoise": "3.denoise"}
SIZE = {"width": "5.width", "height": "5.height", "batch": "5.batch_size"}
TEXTS = {"prompt": "6.text", "negative": "7.text"}
PLAIN = {**TEXTS, **OWN, **SIZE, "model": "4.ckpt_name"}


@pytest.fixture(scope="session")
def all_nodes(catalogue: Catalogue) -> Catalogue:
    """The excerpt with the classes of the well-known workflows."""
    return catalogue.replace(json.loads((HERE / "more.json").read_text())["nodes"])


def found(graph: Graph, catalogue: Catalogue) -> dict[str, str]:
    """Every listed name and the addresses it is listed with."""
    names: dict[str, list[str]] = {}
    for parameter in parameters(graph, catalogue):
        for alias in parameter.aliases:
            names.setdefault(alias, []).append(parameter.address)
    return {name: " ".join(addresses) for name, addresses in names.items()}


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (wellknown.text_to_image, PLAIN),
        (wellknown.image_to_image, {**TEXTS, **OWN, "model": "4.ckpt_name", "image": "10.image"}),
        (wellknown.inpaint, {**TEXTS, **OWN, "model": "4.ckpt_name", "image": "10.image", "mask": "11.image"}),
        (wellknown.controlnet, PLAIN | {"image": "10.image"}),
        (
            wellknown.hires_fix,
            {**PLAIN, **{name: address.replace("3.", "11.") for name, address in OWN.items()}}
            | {f"base.{name}": address for name, address in OWN.items()},
        ),
        (
            wellknown.base_and_refiner,
            {
                **{"prompt": "6.text 15.text", "negative": "7.text 16.text", "seed": "3.noise_seed", **SIZE},
                **{"steps": "3.steps 11.steps", "cfg": "3.cfg 11.cfg", "sampler": "3.sampler_name 11.sampler_name"},
                **{"scheduler": "3.scheduler 11.scheduler", "model.1": "4.ckpt_name", "model.2": "12.ckpt_name"},
                **{"base.model": "4.ckpt_name", "refiner.model": "12.ckpt_name", "refiner.seed": "11.noise_seed"},
                **{f"base.{name}": OWN[name] for name in ("steps", "cfg", "sampler", "scheduler")},
                **{f"refiner.{name}": OWN[name].replace("3.", "11.") for name in ("steps", "cfg", "sampler", "scheduler")},
                **{"base.prompt": "6.text", "refiner.prompt": "15.text"},
                **{"base.negative": "7.text", "refiner.negative": "16.text"},
            },
        ),
        (
            wellknown.two_loras,
            PLAIN
            | {"lora.1": "10.lora_name", "lora.1.strength": "10.strength_model 10.strength_clip"}
            | {"lora.2": "11.lora_name", "lora.2.strength": "11.strength_model"},
        ),
        (
            wellknown.flux,
            {"prompt": "6.text", "guidance": "7.guidance", "seed": "10.noise_seed", "steps": "12.steps"}
            | {"sampler": "11.sampler_name", "scheduler": "12.scheduler", "denoise": "12.denoise", "model": "1.unet_name"}
            | {"width": "8.width", "height": "8.height", "batch": "8.batch_size", "vae": "3.vae_name"}
            | {"clip.1": "2.clip_name1", "clip.2": "2.clip_name2"},
        ),
        (
            wellknown.sd3,
            {name: address for name, address in PLAIN.items() if name != "negative"}
            | {f"clip.{n}": f"1.clip_name{n}" for n in (1, 2, 3)},
        ),
        (
            wellknown.wan_image_to_video,
            PLAIN
            | {"length": "5.length", "image": "10.image", "model": "1.unet_name", "clip": "2.clip_name", "vae": "12.vae_name"},
        ),
        (wellknown.song, {**OWN, "prompt": "6.tags", "batch": "5.batch_size", "model": "4.ckpt_name"}),
        (wellknown.service, {"prompt": "2.prompt", "seed": "2.seed", "model": "2.model", "image": "1.image"}),
        (wellknown.switched, PLAIN | {"prompt": "12.value"}),
        (
            wellknown.side_by_side,
            {
                **{**TEXTS, **SIZE, "model": "4.ckpt_name", "seed.1": "3.seed", "seed.2": "10.seed"},
                **{name: f"{address} {address.replace('3.', '10.')}" for name, address in OWN.items() if name != "seed"},
                **{f"3.{name}": address for name, address in OWN.items() if name == "sampler"},
                **{f"10.{name}": address.replace("3.", "10.") for name, address in OWN.items() if name == "sampler"},
            },
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_names_of_well_known_workflows(make: Callable[[], Graph], names: dict[str, str], all_nodes: Catalogue):
    assert found(make(), all_nodes) == names


@pytest.mark.parametrize(
    "make", [value for name, value in vars(wellknown).items() if name[0] != "_" and name not in ("node", "Graph", "Any")]
)
def test_every_listed_name_sets_what_it_is_listed_with(make: Callable[[], Graph], all_nodes: Catalogue):
    names = Names(Wiring(make(), all_nodes))
    for name, addresses in found(make(), all_nodes).items():
        assert sorted(map(canonical, names.find(name))) == sorted(addresses.split())


def targets(graph: Graph, catalogue: Catalogue, name: str, value: object) -> dict[str, object]:
    return bind(graph, [(name, value)], catalogue).overrides


@pytest.mark.parametrize("name", ["base.seed", "3.seed", "KSampler.seed"])
def test_the_samplers_of_a_chain_have_names(name: str, all_nodes: Catalogue):
    assert targets(wellknown.hires_fix(), all_nodes, name, 5) == {"3.seed": 5}


@pytest.mark.parametrize("name", ["seed", "hires.seed", "11.seed", "Hi-Res pass.seed"])
def test_the_last_of_a_chain_has_the_plain_name(name: str, all_nodes: Catalogue):
    assert targets(wellknown.hires_fix(), all_nodes, name, 5) == {"11.seed": 5}


def test_a_sampler_whose_noise_is_elsewhere_has_its_seed_there(all_nodes: Catalogue):
    assert found(wellknown.two_stages_of_sigmas(), all_nodes)["seed"] == "10.noise_seed"
    assert found(wellknown.two_stages_of_sigmas(), all_nodes)["steps"] == "12.steps"


def test_stages_that_differ_are_told_apart(all_nodes: Catalogue):
    graph = wellknown.base_and_refiner()
    graph["15"]["inputs"]["text"] = "a sharp bottle"
    graph["11"]["inputs"]["cfg"] = 5.0
    names = found(graph, all_nodes)
    assert (names["prompt.1"], names["prompt.2"], "prompt" in names) == ("6.text", "15.text", False)
    assert (names["cfg"], names["base.cfg"]) == ("11.cfg", "3.cfg")
    with pytest.raises(AmbiguousParameter, match=r"prompt\.1 \(6\.text\), prompt\.2 \(15\.text\)"):
        Names(Wiring(graph, all_nodes)).find("prompt")


def test_any_of_many_samplers_can_be_named(all_nodes: Catalogue):
    graph = wellknown.text_to_image()
    before = "3"
    for number in range(150):
        id_ = str(100 + number)
        graph[id_] = {**graph["3"], "inputs": {**graph["3"]["inputs"], "latent_image": [before, 0], "seed": number}}
        before = id_
    graph["8"]["inputs"]["samples"] = [before, 0]
    assert targets(graph, all_nodes, "seed", 5) == {"249.seed": 5}
    assert targets(graph, all_nodes, "base.seed", 5) == {"3.seed": 5}
    assert targets(graph, all_nodes, "217.sampler", "heun") == {"217.sampler_name": "heun"}


def test_sizes_that_must_agree_are_set_together(all_nodes: Catalogue):
    graph = wellknown.flux()
    graph["8"] = node("EmptyFlux2LatentImage", width=1024, height=1024, batch_size=1)
    graph["12"] = node("Flux2Scheduler", steps=20, width=1024, height=1024)
    assert targets(graph, all_nodes, "width", 512) == {"8.width": 512, "12.width": 512}
    graph["12"]["inputs"]["width"] = 768
    with pytest.raises(AmbiguousParameter, match=r"width\.1 \(8\.width\), width\.2 \(12\.width\)"):
        targets(graph, all_nodes, "width", 512)
    assert targets(graph, all_nodes, "width.2", 512) == {"12.width": 512}


def test_a_seed_node_before_the_sampler(all_nodes: Catalogue):
    graph = wellknown.text_to_image()
    graph["10"] = node("SeedNode", seed=9)
    graph["3"]["inputs"]["seed"] = ["10", 0]
    assert targets(graph, all_nodes, "seed", 5) == {"10.seed": 5}
    assert targets(graph, all_nodes, "3.seed", 5) == {"10.seed": 5}


@pytest.mark.parametrize("name", ["lora", "lora.strength"])
def test_one_of_several_loras_must_be_named(name: str, all_nodes: Catalogue):
    with pytest.raises(AmbiguousParameter, match=name.replace("lora", r"lora\.1")):
        targets(wellknown.two_loras(), all_nodes, name, 0.5)
    with pytest.raises(UnknownParameter):
        targets(wellknown.two_loras(), all_nodes, name.replace("lora", "lora.3"), 0.5)
    with pytest.raises(UnknownParameter):
        targets(wellknown.two_loras(), all_nodes, name.replace("lora", "lora.0"), 0.5)


def bound(own: dict[str, str], name: str, catalogue: Catalogue) -> dict[str, object]:
    return bind(wellknown.hires_fix(), [(name, "5")], catalogue, aliases=own).overrides


def test_names_of_the_users_own_win(all_nodes: Catalogue):
    assert bound({"seed": "3.seed"}, "seed", all_nodes) == {"3.seed": 5}
    assert bound({"first": "base.seed"}, "first", all_nodes) == {"3.seed": 5}
    assert bound({"steps": "steps"}, "steps", all_nodes) == {"11.steps": 5}


@pytest.mark.parametrize("address", ["99.seed", "nonsense", "", "8.samples", "other"])
def test_a_broken_name_of_the_users_own_is_one_sentence(address: str, all_nodes: Catalogue):
    with pytest.raises(UnknownParameter, match=r"The alias 'hero' stands for .* in this workflow; give it another address"):
        bound({"hero": address, "other": "hero"}, "hero", all_nodes)


def test_own_names_are_listed_first_and_broken_ones_not(all_nodes: Catalogue):
    found = parameters(wellknown.text_to_image(), all_nodes, {"luck": "seed", "hero": "99.x"})
    assert next(parameter.aliases for parameter in found if parameter.address == "3.seed") == ("luck", "seed")
    assert not any("hero" in parameter.aliases for parameter in found)


def test_a_guider_with_two_scales_has_one_prompt_and_one_negative(all_nodes: Catalogue):
    graph = wellknown.flux()
    graph["16"] = node("CLIPTextEncode", text="blurry", clip=("2", 0))
    graph["13"] = node(
        "DualCFGGuider",
        **{"model": ("1", 0), "cond1": ("7", 0), "cond2": ("16", 0), "negative": ("16", 0)},
        **{"cfg_conds": 5.0, "cfg_cond2_negative": 1.5, "style": "regular"},
    )
    names = found(graph, all_nodes)
    assert (names["prompt"], names["negative"], names["cfg"]) == ("6.text", "16.text", "13.cfg_conds")


def test_instructions_for_a_language_model_are_no_prompt(all_nodes: Catalogue):
    graph = wellknown.text_to_image()
    graph["10"] = node("PrimitiveStringMultiline", "System Prompt", value="You write prompts.")
    graph["11"] = node("PrimitiveStringMultiline", value="a bottle")
    graph["12"] = node("StringConcatenate", string_a=("10", 0), string_b=("11", 0), delimiter=" ")
    graph["6"]["inputs"]["text"] = ["12", 0]
    assert found(graph, all_nodes)["prompt"] == "11.value"


def test_a_size_that_another_node_makes_names_that_node(all_nodes: Catalogue):
    graph = wellknown.text_to_image()
    graph["10"] = node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    graph["11"] = node("GetImageSize", image=("10", 0))
    graph["5"]["inputs"]["width"] = ["11", 0]
    with pytest.raises(UnknownParameter, match=r"5\.width \(EmptyLatentImage\) is fed by node 11 \(GetImageSize\)"):
        targets(graph, all_nodes, "width", 512)
    assert targets(graph, all_nodes, "height", 512) == {"5.height": 512}


def test_near_misses_are_names_that_lead_somewhere(all_nodes: Catalogue):
    size = {"upscale_method": "area", "width": 8, "height": 8, "crop": "disabled"}
    scale = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], **size}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": ""}},
    }
    with pytest.raises(UnknownParameter, match=r"answers to 'width'; did you mean 2\.width\?"):
        bind(scale, [("width", "4")], all_nodes)
    with pytest.raises(UnknownParameter, match="give an alias such as prompt"):
        bind(scale, [("sted", "4")], all_nodes)
