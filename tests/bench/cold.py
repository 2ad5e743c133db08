"""What an exported single-shot script does: start Python, import ComfyUI, load, sample, decode, save.

``python -m tests.bench.cold COMFYUI OUTPUT GRAPH`` is that script; ``measure`` runs it as a process of its own.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .ledger import Ledger
from .work import Work


def measure(ledger: Ledger, work: Work, comfyui: Path, checkpoints: Path, folder: Path) -> None:
    """From the start of the process until its picture is on the disk."""
    command = [sys.executable, "-m", "tests.bench.cold", str(comfyui), str(checkpoints), str(folder)]
    begun = time.time()
    told = subprocess.run([*command, json.dumps(work.seeded(31))], capture_output=True, text=True, check=False)
    if told.returncode:
        ledger.add("failed", what="cold script", detail=told.stderr[-1500:])
        return
    written = json.loads(told.stdout.splitlines()[-1])["written"]
    ledger.add("times", work=work.name, what="cold script", side="script", ms=[(written - begun) * 1000])


def _script(comfyui: Path, checkpoints: Path, output: Path, graph: dict[str, Any]) -> None:
    os.chdir(comfyui)
    sys.path.insert(0, str(comfyui))
    sys.argv = ["main.py", "--base-directory", str(output)] + ([] if Path("/dev/nvidiactl").exists() else ["--cpu"])
    import comfy.options

    comfy.options.enable_args_parsing()
    import asyncio

    import folder_paths
    import nodes
    import torch

    folder_paths.add_model_folder_path("checkpoints", str(checkpoints))
    asyncio.run(nodes.init_extra_nodes(init_custom_nodes=False, init_api_nodes=False))
    with torch.inference_mode():
        results: dict[str, Any] = {}
        for node_id, node in graph.items():
            kind = nodes.NODE_CLASS_MAPPINGS[node["class_type"]]
            inputs = {name: results[v[0]][v[1]] if isinstance(v, list) else v for name, v in node["inputs"].items()}
            results[node_id] = getattr(kind(), kind.FUNCTION)(**inputs)
    print(json.dumps({"written": time.time()}))


if __name__ == "__main__":
    _script(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4]))
