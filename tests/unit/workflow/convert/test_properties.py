"""Whatever comes in, a conversion ends in a graph or in one clear sentence; and a graph laid out as a workflow comes back."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from comfyd.errors import ComfydError
from comfyd.protocol import Graph
from comfyd.workflow.convert import convert
from tests.unit.workflow.test_properties import require_one_sentence

from .conftest import CATALOGUE

HERE = Path(__file__).parent
WORKFLOWS = [json.loads(path.read_text(encoding="utf-8"))["ui"] for path in sorted(HERE.glob("p*/*.json"))]

ODD = [None, True, -1, 0, -10, -20, 1.5, 2**70, float("nan"), "", "-10", "5", [], {}, [1, 2, 3, 4, 5], "a.b", ["1", 0]]
WORDS = ["Reroute", "PrimitiveNode", "SetNode", "GetNode", "KSampler", "workflow>IP2PSampler", "link", "nodes", "proxyWidgets"]
values = st.recursive(
    st.sampled_from(ODD) | st.sampled_from(WORDS) | st.text(max_size=5) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=8,
)


def spots(document: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: what it is in, and its key there."""
    found, pending = [], [document]
    while pending:
        holder = pending.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        found += [(holder, key) for key in keys]
        pending += [holder[key] for key in keys]
    return found


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A real workflow with a few things in it changed, moved or taken out."""
    document = copy.deepcopy(draw(st.sampled_from(WORKFLOWS)))
    for _ in range(draw(st.integers(1, 5))):
        places = spots(document)
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        what = draw(st.sampled_from(["change", "move", "drop"]))
        if what == "move":
            other, there = places[draw(st.integers(0, len(places) - 1))]
            holder[key] = copy.deepcopy(other[there])
        elif what == "change":
            holder[key] = draw(values)
        else:
            del holder[key]
    return document


def require_graph_or_sentence(document: Any) -> None:
    try:
        graph = convert(document, CATALOGUE)
    except ComfydError as error:
        require_one_sentence(error)
        return
    for node in graph.values():
        assert node["class_type"] in CATALOGUE.names()
        links = [value for value in node["inputs"].values() if isinstance(value, list)]
        assert all(source in graph and isinstance(slot, int) for source, slot in links)


@given(damaged())
def test_a_damaged_workflow(document: Any) -> None:
    require_graph_or_sentence(document)


@given(values)
def test_anything(document: Any) -> None:
    require_graph_or_sentence(document)


@given(st.fixed_dictionaries({"nodes": st.lists(values, max_size=4), "links": values, "definitions": values, "extra": values}))
def test_anything_that_looks_like_a_workflow(document: Any) -> None:
    require_graph_or_sentence(document)


# Sockets and widgets of a few classes, in the editor's order; None stands for a value that is saved and not exported.
CLASSES: dict[str, tuple[tuple[str, ...], tuple[str | None, ...]]] = {
    "ProbeSource": ((), ("number",)),
    "KSampler": (
        ("model", "positive", "negative", "latent_image"),
        ("seed", None, "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    ),
    "ProbeAll": (("image", "forced", "opt_default", "extra"), ("a", "seed", None, "text", "choice", "ratio", "flag")),
    "LoadImage": ((), ("image", None)),
    "VAEDecode": (("samples", "vae"), ()),
}
constants = st.none().map(lambda _: "x") | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A graph of any shape, each node linked to earlier ones."""
    found: Graph = {}
    for number in range(1, draw(st.integers(1, 8)) + 1):
        class_ = draw(st.sampled_from(sorted(CLASSES)))
        sockets, widgets = CLASSES[class_]
        inputs: dict[str, Any] = {name: draw(constants) for name in widgets if name is not None}
        linked = [name for name in (*sockets, *inputs) if found and draw(st.booleans())]
        inputs |= {name: [draw(st.sampled_from(sorted(found))), draw(st.integers(0, 2))] for name in linked}
        found[str(number)] = {"inputs": inputs, "class_type": class_, "_meta": {"title": draw(st.sampled_from(["A", "B c"]))}}
    return found


@given(graphs(), st.data())
def test_a_graph_laid_out_as_a_workflow_comes_back(graph: Graph, data: st.DataObject) -> None:
    assert convert(laid_out(graph, data), CATALOGUE) == graph


def laid_out(graph: Graph, data: st.DataObject) -> dict[str, Any]:
    """A workflow of this graph: in any order, with either form of link, and with reroutes on the way."""
    nodes: list[dict[str, Any]] = []
    links: list[list[Any]] = []
    for id_, node in graph.items():
        slots = []
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                origin = reroute(nodes, links, value) if data.draw(st.booleans()) else value
                links.append([len(links) + 1, int(origin[0]), origin[1], int(id_), len(slots), "*"])
                slots.append({"name": name, "type": "*", "link": len(links), **widget(node["class_type"], name)})
        widgets = CLASSES[node["class_type"]][1]
        saved = [0 if isinstance(value := node["inputs"].get(name, "fixed"), list) else value for name in widgets]
        nodes.append({"id": int(id_), "type": node["class_type"], "title": node["_meta"]["title"], "inputs": slots})
        nodes[-1]["widgets_values"] = saved
    document: dict[str, Any] = {"version": 0.4, "nodes": data.draw(st.permutations(nodes)), "links": links}
    if data.draw(st.booleans()):
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        document |= {"version": 1, "links": [dict(zip(names, link, strict=True)) for link in links]}
    assert msgspec.json.decode(msgspec.json.encode(document)) == document
    return document


def widget(class_: str, name: str) -> dict[str, Any]:
    return {"widget": {"name": name}} if name in CLASSES[class_][1] else {}


def reroute(nodes: list[dict[str, Any]], links: list[list[Any]], source: list[Any]) -> list[Any]:
    id_ = 100 + len(nodes)
    links.append([len(links) + 1, int(source[0]), source[1], id_, 0, "*"])
    nodes.append({"id": id_, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": len(links)}]})
    return [str(id_), 0]
