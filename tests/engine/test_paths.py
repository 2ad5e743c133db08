"""Names of files that lead out of the engine's folders are refused by the engine too, whatever gets past the daemon."""

from pathlib import Path

import pytest

from comfyd.protocol import Graph

from .test_outputs import SOURCES, WEBP
from .worker import WorkerProcess, failed

OUT = ["../../../etc/passwd", "/etc/passwd", "../secret.png", "a/../../secret.png", "secret.png\0.png"]


@pytest.mark.parametrize("name", OUT)
def test_a_picture_from_elsewhere_is_not_loaded(worker: WorkerProcess, name: str) -> None:
    (worker.base / "secret.png").write_bytes(b"not yours")
    graph: Graph = {
        "load": {"class_type": "LoadImage", "inputs": {"image": name}},
        "save": {"class_type": "SaveImage", "inputs": {"images": ["load", 0], "filename_prefix": "x"}},
    }
    end = failed(worker.run(graph))
    assert end.error.code == "workflow-invalid"
    assert "LoadImage" in end.error.message


@pytest.mark.parametrize(("class_type", "inputs"), [("SaveImage", {"images": ["images", 0]}), ("SaveAnimatedWEBP", WEBP)])
@pytest.mark.parametrize("prefix", ["../../outside/x", "{base}/outside/x", "a/../../../outside/x"])
def test_nothing_is_saved_elsewhere(worker: WorkerProcess, class_type: str, inputs: Graph, prefix: str) -> None:
    prefix = prefix.format(base=worker.base)
    end = failed(worker.run(SOURCES | {"save": {"class_type": class_type, "inputs": inputs | {"filename_prefix": prefix}}}))
    assert class_type in end.error.message
    assert not [path for path in (Path(worker.base).parent / "outside", worker.base / "outside") if path.exists()]
