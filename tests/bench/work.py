"""The graphs that are run."""

import copy
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from comfyd.protocol import Graph

_LAYOUTS = {"sd15": "SD1.5", "sdxl": "SDXL"}


@dataclass(frozen=True)
class Work:
    """A text-to-image graph with the node ids whose values the benchmark changes."""

    name: str
    graph: Graph
    size: int
    steps: int
    sampler: str = "5"
    prompt: str = "2"

    @classmethod
    def demo(cls) -> "Work":
        graph = json.loads((files("comfyd.demo") / "workflow.json").read_text())
        return cls("demo 128x128", graph, 128, int(graph["5"]["inputs"]["steps"]))

    @classmethod
    def checkpoint(cls, name: str, size: int, steps: int) -> "Work":
        """The stock text-to-image graph, euler / normal, cfg 7."""
        graph = copy.deepcopy(cls.demo().graph)
        graph["1"]["inputs"]["ckpt_name"] = name
        graph["2"]["inputs"]["text"], graph["3"]["inputs"]["text"] = "a red fox", "blurry, bad"
        graph["4"] = {"class_type": "EmptyLatentImage", "inputs": {"width": size, "height": size, "batch_size": 1}}
        graph["5"]["inputs"].update(steps=steps, cfg=7.0, sampler_name="euler", scheduler="normal")
        layout = next((title for key, title in _LAYOUTS.items() if key in name.lower()), name)
        return cls(f"{layout} {size}x{size}", graph, size, steps)

    @property
    def checkpoint_name(self) -> str:
        return str(self.graph["1"]["inputs"]["ckpt_name"])

    def seeded(self, seed: int, text: str | None = None, **sampler: Any) -> Graph:
        """The graph with this seed, and with other values where they are given."""
        graph = copy.deepcopy(self.graph)
        graph[self.sampler]["inputs"].update({"seed": seed} | sampler)
        if text is not None:
            graph[self.prompt]["inputs"]["text"] = text
        return graph


def chain(nodes: int, seed: int) -> Graph:
    """A graph of this many nodes in a row, cheap to run, for what the engine itself costs when all of it is cached."""
    graph: Graph = {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": seed}}}
    for number in range(2, nodes):
        graph[str(number)] = {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]}}
    graph[str(nodes)] = {"class_type": "PreviewImage", "inputs": {"images": [str(nodes - 1), 0]}}
    return graph
