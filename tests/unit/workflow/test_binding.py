"""Binding: overrides into a graph, and the checks of the whole graph."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from comfyd.errors import InvalidValue, MissingModel, UnknownNode, WorkflowInvalid
from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, bind


def test_overrides_arrive_typed(demo: Graph, catalogue: Catalogue):
    bound = bind(demo, [("prompt", "a fox"), ("seed", "7"), ("5.cfg", "3"), ("positive prompt.text", "a red fox")], catalogue)
    assert bound.overrides == {"2.text": "a red fox", "5.seed": 7, "5.cfg": 3.0}
    assert bound.graph["5"]["inputs"]["seed"] == 7
    assert bound.graph["2"]["inputs"]["text"] == "a red fox"
    assert bound.ignored == {}


def test_the_input_is_left_alone_and_shares_nothing(demo: Graph, catalogue: Catalogue):
    before = copy.deepcopy(demo)
    bound = bind(demo, [("seed", 1)], catalogue)
    for node in bound.graph.values():
        node["inputs"]["model"] = "changed"
        node["_meta"]["title"] = "changed"
    assert demo == before


def test_every_kind_of_graph_binds(graph: Callable[[str], Graph], catalogue: Catalogue):
    for name in ("flux", "controlnet", "dynamic"):
        bound = bind(graph(name), [], catalogue)
        assert bound.graph == graph(name)
        assert bind(bound.graph, [], catalogue).graph == bound.graph


def test_constants_are_converted_as_comfyui_does(demo: Graph, catalogue: Catalogue):
    demo["5"]["inputs"].update(seed="41", steps=8.9, cfg="2", denoise=1)
    demo["7"]["inputs"]["filename_prefix"] = 5
    inputs = bind(demo, [], catalogue).graph["5"]["inputs"]
    assert (inputs["seed"], inputs["steps"], inputs["cfg"]) == (41, 8, 2.0)
    assert type(inputs["denoise"]) is float
    assert bind(demo, [], catalogue).graph["7"]["inputs"]["filename_prefix"] == "5"


def test_wrapped_lists_are_unwrapped(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "PreviewAny", "inputs": {"source": {"__value__": [1, 2]}}}
    assert bind(demo, [], catalogue).graph["8"]["inputs"]["source"] == [1, 2]


def test_inputs_a_class_does_not_have_are_kept(demo: Graph, catalogue: Catalogue):
    demo["5"]["inputs"]["control_after_generate"] = "fixed"
    bound = bind(demo, [("5.control_after_generate", "random")], catalogue)
    assert bound.graph["5"]["inputs"]["control_after_generate"] == "random"


def test_a_node_nothing_needs_is_not_checked(demo: Graph, catalogue: Catalogue):
    demo["9"] = {"class_type": "VAEDecode", "inputs": {"samples": ["nowhere", 0]}}
    assert "9" in bind(demo, [], catalogue).graph


def test_an_output_that_cannot_run_is_passed_over(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "PreviewImage", "inputs": {}}
    bound = bind(demo, [], catalogue)
    assert "8" not in bound.graph
    assert "8.images (PreviewImage) is missing" in bound.ignored["8"]


def change(node: str, **inputs: Any) -> Callable[[Graph], None]:
    return lambda graph: graph[node]["inputs"].update(inputs)


def remove(node: str, input_: str | None = None) -> Callable[[Graph], None]:
    return lambda graph: graph.pop(node) if input_ is None else graph[node]["inputs"].pop(input_)


@pytest.mark.parametrize(
    ("damage", "error", "reason"),
    [
        (change("5", model=["99", 0]), WorkflowInvalid, r"5\.model \(KSampler\) is linked to node '99', which is not there"),
        (change("5", model=["1", 7]), WorkflowInvalid, "output 7 of node 1 .*which has 3"),
        (change("5", model=["1", -4]), WorkflowInvalid, "output -4"),
        (change("5", model=["1", 1]), WorkflowInvalid, "takes MODEL, but node 1 .*gives CLIP"),
        (change("5", model=["1"]), WorkflowInvalid, "no link"),
        (change("5", model=["1", "0"]), WorkflowInvalid, "no link"),
        (change("5", extra=["99", 0]), WorkflowInvalid, "'99', which is not there"),
        (change("5", sampler_name=["1", 0]), WorkflowInvalid, "takes a choice"),
        (remove("5", "model"), WorkflowInvalid, r"5\.model \(KSampler\) is missing"),
        (remove("5", "seed"), WorkflowInvalid, r"5\.seed"),
        (remove("7"), WorkflowInvalid, "no output node"),
        (change("2", clip=["5", 0], text="x"), WorkflowInvalid, "5 <- 2 <- 5|2 <- 5 <- 2"),
        (change("5", latent_image=["5", 0]), WorkflowInvalid, "5 <- 5"),
        (change("5", steps=0), InvalidValue, "an integer from 1 to 10000, not 0"),
        (change("5", steps="many"), InvalidValue, "an integer from 1 to 10000, not 'many'"),
        (change("5", steps=None), InvalidValue, "not null"),
        (change("5", cfg={"a": 1}), InvalidValue, "not an object"),
        (change("5", seed=2**64), InvalidValue, "64 bits"),
        (change("5", seed=10**5000), InvalidValue, "bits"),
        (change("5", sampler_name="eulr"), InvalidValue, "has no choice 'eulr'; did you mean 'euler'"),
        (change("5", scheduler=3), InvalidValue, "has no choice 3; it has simple"),
        (change("1", ckpt_name="none.safetensors"), MissingModel, "model file 'none.safetensors'"),
        (change("5", cfg=float("nan")), WorkflowInvalid, "nan"),
        (change("5", cfg=float("inf")), WorkflowInvalid, "inf"),
        (change("5", other={1, 2}), WorkflowInvalid, "not JSON"),
        (change("5", other={1: 2}), WorkflowInvalid, "not text"),
    ],
)
def test_damaged_graphs(demo: Graph, catalogue: Catalogue, damage: Callable[[Graph], None], error: type[Exception], reason: str):
    damage(demo)
    with pytest.raises(error, match=reason):
        bind(demo, [], catalogue)


def test_an_unknown_class_names_all_of_them(demo: Graph, catalogue: Catalogue):
    demo["5"]["class_type"] = "KSamplr"
    demo["9"] = {"class_type": "Missing\x1b", "inputs": {}}
    with pytest.raises(UnknownNode, match="did you mean 'KSampler'") as error:
        bind(demo, [], catalogue)
    assert error.value.classes == ("KSamplr", "Missing\x1b")


def test_choices_that_may_be_out_of_date_name_every_class_concerned(graph: Callable[[str], Graph], catalogue: Catalogue):
    new = graph("controlnet")
    new["2"]["inputs"]["lora_name"] = "new.safetensors"
    with pytest.raises(MissingModel) as error:
        bind(new, [("model", "newer.safetensors")], catalogue)
    assert error.value.classes == ("CheckpointLoaderSimple", "LoraLoader")


def test_all_model_files_that_are_missing_are_named(demo: Graph, catalogue: Catalogue):
    for number, file in enumerate(["a.safetensors", "b.safetensors", "a.safetensors"]):
        demo[f"l{number}"] = demo["1"] | {"inputs": {"ckpt_name": file}}
    demo["2"]["inputs"]["clip"], demo["3"]["inputs"]["clip"], demo["6"]["inputs"]["vae"] = ["l0", 1], ["l1", 1], ["l2", 2]
    with pytest.raises(MissingModel, match=r"model file 'a\.safetensors'.*; missing as well: b\.safetensors\.$"):
        bind(demo, [], catalogue)


@pytest.mark.parametrize("value", [["a", "b"], '["a", "b"]'])
def test_a_list_of_choices_is_no_link(demo: Graph, catalogue: Catalogue, value: object):
    tags = {"input": {"required": {"tags": ["COMBO", {"options": ["a", "b", "c"], "multiselect": True}]}}, "output_node": True}
    demo["9"] = {"class_type": "Tags", "inputs": {"tags": []}}
    bound = bind(demo, [("9.tags", value)], catalogue.replace({"Tags": tags}))
    assert (bound.overrides, bound.ignored) == ({"9.tags": ["a", "b"]}, {})


def test_fresh_entries_make_it_bind(demo: Graph, catalogue: Catalogue):
    fresh = {"input": {"required": {"ckpt_name": [["new.safetensors"], {}]}}, "output": ["MODEL", "CLIP", "VAE"]}
    new = catalogue.replace({"CheckpointLoaderSimple": fresh})
    assert bind(demo, [("model", "new")], new).overrides == {"1.ckpt_name": "new.safetensors"}


def test_input_files(graph: Callable[[str], Graph], catalogue: Catalogue):
    new = graph("dynamic")
    new["2"]["inputs"]["image"] = "none.png"
    with pytest.raises(InvalidValue, match="input folder") as error:
        bind(new, [], catalogue)
    assert error.value.classes == ("LoadImage",)
    for elsewhere in ("sub/none.png", "none.png [temp]", "none.tga"):
        new["2"]["inputs"]["image"] = elsewhere
        bind(new, [], catalogue)


def test_dynamic_inputs(graph: Callable[[str], Graph], catalogue: Catalogue):
    new = graph("dynamic")
    assert bind(new, [("3.resize_type.multiplier", "0.25")], catalogue).overrides == {"3.resize_type.multiplier": 0.25}
    with pytest.raises(InvalidValue, match=r"takes a number from 0\.01 to 8\.0"):
        bind(new, [("Resize.resize_type.multiplier", "9")], catalogue)
    with pytest.raises(InvalidValue, match="has no choice"):
        bind(new, [("3.resize_type", "no such thing")], catalogue)
    with pytest.raises(WorkflowInvalid, match=r"3\.resize_type\.\w+ .*is missing"):
        bind(new, [("3.resize_type", "scale dim")], catalogue)
    del new["4"]["inputs"]["images.image0"]
    with pytest.raises(WorkflowInvalid, match=r"images\.image0"):
        bind(new, [], catalogue)


def test_a_class_that_checks_its_own_values_is_trusted(demo: Graph, catalogue: Catalogue):
    demo["8"] = {"class_type": "CustomCombo", "inputs": {"choice": "mine", "option1": "mine"}}
    demo["9"] = {"class_type": "PreviewAny", "inputs": {"source": ["8", 0]}}
    assert bind(demo, [("8.choice", "another")], catalogue).overrides == {"8.choice": "another"}


def chain(length: int) -> Graph:
    graph: Graph = {"0": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}
    for i in range(1, length):
        graph[str(i)] = {"class_type": "ImageInvert", "inputs": {"image": [str(i - 1), 0]}}
    graph["out"] = {"class_type": "SaveImage", "inputs": {"images": [str(length - 1), 0], "filename_prefix": "x"}}
    return graph


def test_a_chain_of_100_000_nodes(catalogue: Catalogue):
    assert len(bind(chain(100_000), [("0.image", "example.png")], catalogue).graph) == 100_001


def test_a_long_cycle_is_named_in_short(catalogue: Catalogue):
    graph = chain(5000)
    graph["0"] = {"class_type": "ImageInvert", "inputs": {"image": ["4999", 0]}}
    with pytest.raises(WorkflowInvalid, match="cycle") as error:
        bind(graph, [], catalogue)
    assert len(error.value.message) < 300


def test_deep_values_are_refused(demo: Graph, catalogue: Catalogue):
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(WorkflowInvalid, match="nested"):
        bind(demo, [("5.seed", deep)], catalogue)
    demo["5"]["inputs"]["extra"] = deep
    with pytest.raises(WorkflowInvalid, match="nested"):
        bind(demo, [], catalogue)
    while deep:
        deep = deep.pop()


@pytest.mark.parametrize("graph", [None, [], {}, "demo", {"1": None}, {1: {}}, {"1": {"class_type": "KSampler", "inputs": 3}}])
def test_what_is_no_graph(graph: Any, catalogue: Catalogue):
    with pytest.raises(WorkflowInvalid):
        bind(graph, [], catalogue)
