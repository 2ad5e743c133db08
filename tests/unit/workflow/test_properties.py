"""Whatever comes in, loading and binding end in a result or in one clear sentence."""

import copy
import json
import string
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from comfyd.errors import ComfydError
from comfyd.protocol import Graph
from comfyd.workflow import Catalogue, bind, load, parameters

HERE = Path(__file__).parent
CATALOGUE = Catalogue.read(HERE / "catalogue.json")
GRAPHS = [load("demo").api, *(json.loads(file.read_text()) for file in sorted((HERE / "graphs").glob("*.json")))]
NAMES = ["seed", "prompt", "negative", "width", "model", "5.seed", "Prompt.text", "3.resize_type", "sed", "", "."]
NAMES += ["base.seed", "11.sampler", "prompt.2", "lora.1.strength", "lora", "image", "hero", "loop", "vae", "clip.1"]
OWN = {"hero": "prompt", "loop": "loop", "cfg": "99.cfg"}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
links = st.tuples(st.sampled_from([*string.digits, "zz"]), st.integers(-2, 3)).map(list)
values = links | st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just("__value__"), inner, max_size=3),
    max_leaves=6,
)
texts = st.sampled_from(["random", "+1", "-1", "42", "1.5", "true", "a {b|c}", "{", "../x.png", "x" * 300])
overrides = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=12), values | texts), max_size=2)


@st.composite
def damaged(draw: st.DrawFn) -> Graph:
    """A real graph with a few things in it changed."""
    graph: Graph = copy.deepcopy(draw(st.sampled_from(GRAPHS)))
    for _ in range(draw(st.integers(0, 3))):
        node = graph[draw(st.sampled_from(sorted(graph)))]
        where = draw(st.sampled_from(["input", "drop", "class", "node", "field", "new"]))
        names = sorted(node.get("inputs", {})) if isinstance(node, dict) and isinstance(node.get("inputs"), dict) else []
        if where in ("input", "drop") and names:
            name = draw(st.sampled_from(names))
            node["inputs"].pop(name) if where == "drop" else node["inputs"].update({name: draw(values)})
        elif where == "class" and isinstance(node, dict):
            node["class_type"] = draw(st.sampled_from(sorted(CATALOGUE.names())) | st.text(max_size=5))
        elif where == "field" and isinstance(node, dict):
            node[draw(st.sampled_from(["inputs", "class_type", "_meta", "other"]))] = draw(values)
        else:
            graph[draw(st.sampled_from(sorted(graph)) | st.text(max_size=3))] = draw(values)
    return graph


def require_one_sentence(error: ComfydError) -> None:
    assert error.message.isprintable()
    assert error.message[-1] in ".?"
    assert len(error.message) < 800


def containers(value: Any) -> set[int]:
    if isinstance(value, dict):
        return {id(value)}.union(*map(containers, value.values()))
    return {id(value)}.union(*map(containers, value)) if isinstance(value, list) else set()


@given(damaged(), overrides)
def test_binding_yields_a_graph_or_a_sentence(graph: Graph, pairs: list[tuple[str, Any]]):
    before = repr(graph)
    try:
        bound = bind(graph, pairs, CATALOGUE, aliases=OWN, last={"5.seed": "x", "13.seed": 7}, draws=True)
    except ComfydError as error:
        require_one_sentence(error)
    else:
        assert containers(bound.graph).isdisjoint(containers(graph) | containers([value for _, value in pairs]))
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(bound.overrides)) == bound.overrides
    assert repr(graph) == before


@given(damaged())
def test_binding_again_changes_nothing(graph: Graph):
    try:
        bound = bind(graph, [], CATALOGUE)
    except ComfydError:
        return
    if "__value__" not in repr(graph):
        assert bind(bound.graph, [], CATALOGUE).graph == bound.graph


@given(damaged())
def test_listing_parameters_yields_them_or_a_sentence(graph: Graph):
    try:
        found = parameters(graph, CATALOGUE, OWN)
    except ComfydError as error:
        require_one_sentence(error)
    else:
        assert len({parameter.address for parameter in found}) == len(found)


@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_any_json_is_a_graph_or_a_sentence(value: Any):
    for give in (lambda: load('{"x":' + json.dumps(value) + "}"), lambda: bind(value, [], CATALOGUE)):
        try:
            give()
        except ComfydError as error:
            require_one_sentence(error)


@given(st.text())
def test_any_source_is_a_workflow_or_a_sentence(source: str):
    for give in (source, "{" + source):
        if give.strip() != "-":
            try:
                load(give)
            except ComfydError as error:
                require_one_sentence(error)


@given(
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["required", "optional", "template", "options", "min", "max", "names", "key", "inputs"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_description_of_a_class_is_survived(raw: Any):
    for entry in (
        raw,
        {"input": raw},
        {"input": {"required": {"a": ["COMFY_DYNAMICCOMBO_V3", raw], "b": ["COMFY_AUTOGROW_V3", raw]}}},
    ):
        catalogue = Catalogue({"A": entry})
        try:
            bind({"1": {"class_type": "A", "inputs": {"a": "x", "b.c": 1}}}, [("1.a", "y")], catalogue)
        except ComfydError as error:
            require_one_sentence(error)
