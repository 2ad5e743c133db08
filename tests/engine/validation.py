"""Unmodified ComfyUI as a program that validates graphs and runs none: ``python validation.py TREE BASE``.

First line out: the catalogue. Then one line for each graph that comes in: what ComfyUI's ``validate_prompt`` says of it.
Run as a program of its own, because ComfyUI's modules have names of their own at the top.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from comfyd.protocol import Graph


class Validator:
    """The program, asked from a test."""

    def __init__(self, comfyui: Path, base: Path) -> None:
        self._log = (base / "validation.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(comfyui), str(base)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.catalogue: dict[str, Any] = self._reply()

    def errors(self, graph: Graph) -> list[dict[str, Any]]:
        """Every error of a graph: ``{"type", "node", "class", "input", "details", "received"}``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(graph) + "\n")
        self._process.stdin.flush()
        found: list[dict[str, Any]] = self._reply()
        return found

    def _reply(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(Path(self._log.name).read_text(errors="replace")[-4000:])
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()


def _main(comfyui: str, base: str) -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what nodes print is no reply
    os.chdir(comfyui)
    sys.path.insert(0, comfyui)
    front_end = Path(base) / "front-end"
    front_end.mkdir(exist_ok=True)
    (front_end / "index.html").write_text("ok")
    sys.argv = ["main.py", "--cpu", "--base-directory", base, "--disable-all-custom-nodes", "--front-end-root", str(front_end)]
    import comfy.options

    comfy.options.enable_args_parsing()
    import execution
    import nodes
    import server

    loop = asyncio.new_event_loop()
    server.PromptServer(loop)
    loop.run_until_complete(nodes.init_extra_nodes(init_custom_nodes=False, init_api_nodes=True))
    entries = {name: _described(name, node) for name, node in nodes.NODE_CLASS_MAPPINGS.items()}
    print(json.dumps(entries), file=replies, flush=True)
    for line in sys.stdin:
        graph = json.loads(line)
        outcome = loop.run_until_complete(execution.validate_prompt("", graph, None))
        print(json.dumps(_errors(outcome)), file=replies, flush=True)


def _described(name: str, node: Any) -> dict[str, Any]:
    import nodes

    if hasattr(node, "GET_NODE_INFO_V1"):
        return dict(node.GET_NODE_INFO_V1())
    return {
        "input": node.INPUT_TYPES(),
        "output": node.RETURN_TYPES,
        "output_name": getattr(node, "RETURN_NAMES", node.RETURN_TYPES),
        "output_node": getattr(node, "OUTPUT_NODE", False),
        "display_name": nodes.NODE_DISPLAY_NAME_MAPPINGS.get(name, name),
        "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
    }


def _errors(outcome: Any) -> list[dict[str, Any]]:
    valid, error, _, node_errors = outcome
    found = [] if valid or node_errors else [{"type": error["type"], "node": "", "class": "", "input": "", "details": str(error)}]
    for node, report in node_errors.items():
        for entry in report["errors"]:
            extra = entry.get("extra_info") or {}
            found.append(
                {
                    "type": entry["type"],
                    "node": node,
                    "class": report["class_type"],
                    "input": extra.get("input_name", ""),
                    "details": str(entry.get("details"))[:300],
                    "received": extra.get("received_value"),
                }
            )
    return found


if __name__ == "__main__":
    _main(*sys.argv[1:])
