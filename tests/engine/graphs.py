"""Graphs the engine tests run."""

import copy
import json
from importlib.resources import files
from typing import Any

from comfyd.protocol import Graph

_DEMO = json.loads((files("comfyd.demo") / "workflow.json").read_text())
LOADER, PROMPT, NEGATIVE, LATENT, SAMPLER, DECODE, SAVE = "1", "2", "3", "4", "5", "6", "7"


def demo(text: str = "red apple", size: tuple[int, int] = (64, 64), checkpoint: str | None = None, **sampler: Any) -> Graph:
    """The demo workflow with these values; small and short unless told otherwise."""
    graph: Graph = copy.deepcopy(_DEMO)
    graph[PROMPT]["inputs"]["text"] = text
    graph[LATENT]["inputs"].update(width=size[0], height=size[1])
    graph[SAMPLER]["inputs"].update({"steps": 3, "seed": 1} | sampler)
    if checkpoint:
        graph[LOADER]["inputs"]["ckpt_name"] = checkpoint
    return graph


def chain(*classes: str, text: str = "x") -> Graph:
    """Nodes of the test pack in a row, each fed with the one before, ending in TestSink."""
    graph: Graph = {}
    value: Any = text
    for number, class_type in enumerate((*classes, "TestSink"), start=1):
        graph[str(number)] = {"class_type": class_type, "inputs": {"text": value}}
        value = [str(number), 0]
    return graph


def shown(outputs: dict[str, Any]) -> list[str]:
    """What TestSink showed."""
    return [text for ui in outputs.values() for text in ui.get("text", [])]


def changed(graph: Graph, node: str, **inputs: object) -> Graph:
    """The graph with these inputs of one node."""
    return graph | {node: graph[node] | {"inputs": graph[node]["inputs"] | inputs}}


def with_lora(graph: Graph, name: str) -> Graph:
    """The demo workflow with this LoRA on its model."""
    inputs = {"model": [LOADER, 0], "lora_name": name, "strength_model": 1.0}
    graph = graph | {"20": {"class_type": "LoraLoaderModelOnly", "inputs": inputs}}
    return changed(graph, SAMPLER, model=["20", 0])


def between(graph: Graph, class_type: str, **inputs: object) -> Graph:
    """The demo workflow with this node between its model and the sampler."""
    graph = graph | {"22": {"class_type": class_type, "inputs": {"model": [LOADER, 0]} | inputs}}
    return changed(graph, SAMPLER, model=["22", 0])


def with_bypass_lora(graph: Graph, name: str) -> Graph:
    """The demo workflow with this LoRA beside its model and its text encoder, not merged into them."""
    inputs = {"model": [LOADER, 0], "clip": [LOADER, 1], "lora_name": name, "strength_model": 1.0, "strength_clip": 1.0}
    graph = graph | {"23": {"class_type": "LoraLoaderBypass", "inputs": inputs}}
    for text in (PROMPT, NEGATIVE):
        graph = changed(graph, text, clip=["23", 1])
    return changed(graph, SAMPLER, model=["23", 0])


def with_text_lora(graph: Graph, name: str, strength: float = 1.0) -> Graph:
    """The demo workflow with this LoRA on its text encoder alone."""
    inputs = {"model": [LOADER, 0], "clip": [LOADER, 1], "lora_name": name, "strength_model": 0.0, "strength_clip": strength}
    graph = graph | {"21": {"class_type": "LoraLoader", "inputs": inputs}}
    return changed(graph, PROMPT, clip=["21", 1])
