"""Why nodes would run: pure, from what a worker has found and the graph of an earlier job."""

from typing import Any

import pytest

from comfyd.protocol import Found, Graph, PlannedNode
from comfyd.workflow import Catalogue
from comfyd.workflow.planning.plan import Reference, explain, from_scratch, labels, likeness


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs} | ({"_meta": {"title": title}} if title else {})


GRAPH: Graph = {
    "1": node("Loader", file="a.safetensors"),
    "2": node("Encode", "Prompt", text="a red fox", clip=["1", 1]),
    "5": node("KSampler", "sampler", seed=41, steps=20, model=["1", 0], positive=["2", 0]),
    "6": node("VAEDecode", "decode", samples=["5", 0]),
    "7": node("SaveImage", "save", images=["6", 0], filename_prefix="x"),
}


def changed(graph: Graph, id_: str, **inputs: Any) -> Graph:
    return graph | {id_: graph[id_] | {"inputs": graph[id_]["inputs"] | inputs}}


def found(graph: Graph, run: str = "", **special: Found) -> dict[str, Found]:
    """The nodes of these ids run, the others are cached."""
    return {id_: special.get(f"n{id_}", Found(state="run" if id_ in run else "cached")) for id_ in graph}


def before(graph: Graph = GRAPH, **fields: Any) -> Reference:
    return Reference(**({"job": 12, "graph": graph, "state": "done"} | fields))


def reasons(nodes: list[PlannedNode]) -> dict[str, str]:
    return {node.node: node.reason for node in nodes if node.reason}


def test_a_changed_input_and_what_is_downstream_of_it() -> None:
    nodes = explain(changed(GRAPH, "5", seed=42), found(GRAPH, "567"), before())
    assert reasons(nodes) == {"5": "seed 41 -> 42", "6": "downstream of sampler", "7": "downstream of sampler"}
    assert [(each.state, each.cause) for each in nodes] == [
        ("cached", ""),
        ("cached", ""),
        ("run", "changed"),
        ("run", "downstream"),
        ("run", "downstream"),
    ]
    assert (nodes[2].changes[0].old, nodes[2].changes[0].new, nodes[3].roots) == (41, 42, ["5"])


def test_a_changed_node_whose_result_is_kept_is_still_the_cause_of_others() -> None:
    nodes = explain(changed(GRAPH, "2", text="a blue fox"), found(GRAPH, "567"), before())
    assert reasons(nodes)["2"] == 'text "a red fox" -> "a blue fox"'
    assert reasons(nodes)["5"] == "downstream of Prompt"


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"seed": 41.0}, "seed 41 -> 41.0"),
        ({"seed": 42, "steps": 30}, "seed 41 -> 42, steps 20 -> 30"),
        ({"model": ["9", 0]}, "model from 9 instead of 1"),
        ({"seed": ["9", 0]}, "seed from 9 instead of 41"),
        ({"model": None}, "model a link from 1 -> unset"),
        ({"denoise": 0.5}, "denoise unset -> 0.5"),
        ({"on": True}, "on unset -> true"),
        ({"things": [1, 2, 3]}, "things unset -> a list"),
    ],
)
def test_what_is_said_of_a_change(inputs: dict[str, Any], reason: str) -> None:
    assert reasons(explain(changed(GRAPH, "5", **inputs), found(GRAPH, "567"), before()))["5"] == reason


def test_long_texts_are_shown_where_they_begin_to_differ() -> None:
    old, new = "the same words again and " * 9 + "a fox", "the same words again and " * 9 + "a bear"
    graph = changed(GRAPH, "2", text=old)
    reason = reasons(explain(changed(graph, "2", text=new), found(GRAPH, "2567"), before(graph)))["2"]
    assert len(reason) < 100
    assert "a fox" in reason
    assert "a bear" in reason


def test_control_characters_do_not_get_through() -> None:
    graph = changed(GRAPH, "2", text="\x1b[31mred\n")
    assert "\x1b" not in "".join(reasons(explain(graph, found(graph, "2567"), before())).values())


def test_without_an_earlier_job_everything_runs_for_the_first_time() -> None:
    assert set(reasons(explain(GRAPH, found(GRAPH, "12567"), None)).values()) == {"first run"}


def test_a_node_that_the_earlier_job_did_not_have() -> None:
    graph = GRAPH | {"8": node("Upscale", image=["6", 0]), "7": node("SaveImage", "save", images=["8", 0])}
    assert reasons(explain(graph, found(graph, "78"), before()))["8"] == "new in this workflow"
    other_class = GRAPH | {"6": node("VAEDecodeTiled", "decode", samples=["5", 0])}
    assert reasons(explain(other_class, found(GRAPH, "67"), before()))["6"] == "new in this workflow"


@pytest.mark.parametrize(
    ("fields", "engine", "reason"),
    [
        ({}, "", "dropped from the cache"),
        ({}, "the engine was started since", "the engine was started since"),
        ({"state": "running"}, "", "job 12 has not got to it yet"),
        ({"state": "failed", "executed": frozenset("1")}, "", "job 12 failed before it"),
        ({"state": "failed", "executed": frozenset("5")}, "", "dropped from the cache"),
        ({"state": "cancelled"}, "", "job 12 was cancelled"),
    ],
)
def test_nothing_changed_and_yet_it_is_not_kept(fields: dict[str, Any], engine: str, reason: str) -> None:
    nodes = explain(GRAPH, found(GRAPH, "5"), before(**fields), engine=engine)
    assert reasons(nodes) == {"5": reason}


def test_what_the_worker_has_seen_is_said() -> None:
    special = {
        "n1": Found(state="run", altered=True, files=["a.safetensors"]),
        "n7": Found(state="run", missing=["/out/x_0001.png", "/out/x_0002.png"]),
    }
    told = reasons(explain(GRAPH, found(GRAPH, "", **special), before()))
    assert told["1"] == "a.safetensors changed"
    assert told["7"] == "x_0001.png, x_0002.png are gone"
    always = {"n5": Found(state="run", always=True)}
    assert reasons(explain(GRAPH, found(GRAPH, "67", **always), None))["5"] == "always runs (IS_CHANGED)"


def test_a_lazy_input_is_left_to_the_node_that_asks() -> None:
    graph = {"1": node("Echo", text="a"), "2": node("Echo", text=["1", 0]), "3": node("Switch", "choice", left=["2", 0])}
    special = {"n1": Found(state="maybe"), "n2": Found(state="maybe")}
    told = reasons(explain(graph, found(graph, "3", **special), None))
    assert told == {"1": "only if choice asks for it; first run", "2": "only if choice asks for it; first run", "3": "first run"}


def test_titles_that_recur_have_their_ids() -> None:
    assert labels({"1": "a", "2": "b", "3": "a"}) == {"1": "a (1)", "2": "b", "3": "a (3)"}


def test_likeness_is_the_share_of_equal_nodes() -> None:
    assert likeness(GRAPH, GRAPH) == 1
    assert likeness(GRAPH, {"1": node("Other")}) == 0
    assert likeness({}, {}) == 0


def test_a_cycle_and_a_chain_of_100_000_nodes_are_explained() -> None:
    cycle = {"1": node("Echo", text=["2", 0]), "2": node("Echo", text=["1", 0])}
    assert len(explain(cycle, found(cycle, "12"), before(cycle))) == 2
    chain: Graph = {str(i): node("Echo", text=[str(i + 1), 0]) for i in range(100_000)}
    nodes = explain(changed(chain, "99999", text="x"), {id_: Found(state="run") for id_ in chain}, before(chain))
    assert nodes[0].reason == "downstream of Echo (99999)"


def test_a_worker_that_keeps_nothing_would_run_what_is_needed() -> None:
    lazy = {"required": {"left": ["STRING", {"lazy": True, "forceInput": True}], "text": ["STRING", {}]}}
    plain = {"required": {"text": ["STRING", {}]}}
    entry = {"output": ["STRING"], "output_name": ["STRING"], "output_node": False}
    catalogue = Catalogue(
        {
            "Echo": entry | {"input": plain},
            "Switch": entry | {"input": lazy},
            "Sink": entry | {"input": plain, "output": [], "output_node": True},
        }
    )
    graph = {
        "1": node("Echo", text="a"),
        "2": node("Echo", text="b"),
        "3": node("Switch", left=["1", 0], text=["2", 0]),
        "4": node("Sink", text=["3", 0]),
        "5": node("Echo", text="nobody"),
    }
    states = {id_: each.state for id_, each in from_scratch(graph, catalogue).items()}
    assert states == {"1": "maybe", "2": "run", "3": "run", "4": "run", "5": "idle"}
