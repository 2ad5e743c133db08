"""Run as a process: which inputs of nodes have the same key, and what the samplers' conditioning is made of.

``python -m tests.engine.rules.key COMFYUI`` prints what it found as JSON.
"""

import asyncio
import json
import sys
from typing import Any

sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["--cpu", "--disable-dynamic-vram"]
import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()
import comfy.samplers  # noqa: E402
import nodes  # noqa: E402
import torch  # noqa: E402
from comfy_execution.graph import DynamicPrompt  # noqa: E402

from comfyd.worker import questions  # noqa: E402
from comfyd.worker.keys import ContentKeys  # noqa: E402

ODD: dict[str, Any] = {
    "whole": 1,
    "whole again": 1,
    "fraction": 1.0,
    "truth": True,
    "text": "1",
    "nothing": None,
    "negative zero": -0.0,
    "zero": 0.0,
    "list": [1, 2, 3],
    "list of fractions": [1.0, 2, 3],
    "beyond 64 bits": 2**70,
    "beyond 64 bits again": 2**70,
    "more beyond": 2**70 + 1,
    "half a character": "\ud800",
    "half a character again": "\ud800",
    "dictionary": {"a": 1, "b": 2},
    "dictionary in another order": {"b": 2, "a": 1},
    "numbered": {1: "a"},
    "not a number": float("nan"),
    "not a number again": float("nan"),
    "an object": object(),
    "a tensor": torch.zeros(1),
    "text that nothing has": {"text": {"text"}},
}


def key(value: Any, changed: Any = False) -> str:
    """The key of a node with this input."""

    async def is_changed(node_id: str) -> Any:
        return changed

    async def made() -> bytes:
        keys = ContentKeys(DynamicPrompt({"1": {"class_type": "PreviewAny", "inputs": {"value": value}}}), is_changed)
        await keys.add(["1"])
        return keys.get("1") or b""

    return asyncio.run(made()).hex()


class Anything:
    """A node that takes any value."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"value": ("*",)}}


def conditioning() -> dict[str, Any]:
    """What two pieces of conditioning are made of."""
    questions.install()
    x, sigma = torch.zeros(1, 4, 8, 8), torch.ones(1)
    conds = [{"model_conds": {}, "uuid": name, "strength": number} for number, name in enumerate("ab", 1)]
    one, two = (comfy.samplers.get_area_and_mult(cond, x, sigma) for cond in conds)
    return {
        "class": type(one) is type(two),
        "fields": list(one._fields),
        "apart": [one.uuid, two.uuid, float(one.mult.max()), float(two.mult.max())],
        "dictionaries": comfy.samplers.collections.defaultdict(list)["none"],
    }


if __name__ == "__main__":
    nodes.NODE_CLASS_MAPPINGS["PreviewAny"] = Anything
    made = {name: key(value) for name, value in ODD.items()}
    twice = {name: key(value) for name, value in ODD.items()}
    changed = {name: [key(1, value), key(1, value)] for name, value in ODD.items()}
    print(json.dumps({"keys": made, "twice": twice, "changed": changed, "conditioning": conditioning()}))
