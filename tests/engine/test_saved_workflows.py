"""Whatever ComfyUI's own nodes save can be given back as a workflow: both forms come out as they went in."""

from typing import Any

import pytest

from comfyd.protocol import Done, Graph
from comfyd.workflow import load

from .test_outputs import SOURCES
from .worker import WorkerProcess, done

UI: dict[str, Any] = {"nodes": [{"id": 1, "type": "Note", "title": "größer 図 \"'\\"}], "links": [], "version": 0.4}
IMAGES, AUDIO = ["images", 0], ["audio", 0]
ANIMATION: Graph = {"images": IMAGES, "fps": 6.0}
SAVES: list[tuple[str, Graph]] = [
    ("SaveImage", {"images": IMAGES}),
    ("SaveImageAdvanced", {"images": IMAGES, "format": "png", "format.bit_depth": "16-bit", "format.input_color_space": "sRGB"}),
    (
        "SaveImageAdvanced",
        {"images": IMAGES, "format": "exr", "format.bit_depth": "32-bit float", "format.input_color_space": "HDR"},
    ),
    ("SaveAnimatedPNG", ANIMATION | {"compress_level": 4}),
    ("SaveAnimatedWEBP", ANIMATION | {"lossless": False, "quality": 80, "method": "fastest"}),
    ("SaveVideo", {"video": ["video", 0], "format": "mp4", "codec": "h264"}),
    ("SaveWEBM", ANIMATION | {"codec": "vp9", "crf": 32.0}),
    ("SaveWEBM", ANIMATION | {"codec": "av1", "crf": 32.0}),
    ("SaveAudio", {"audio": AUDIO}),
    ("SaveAudioMP3", {"audio": AUDIO, "quality": "V0"}),
    ("SaveAudioOpus", {"audio": AUDIO, "quality": "96k"}),
    ("SaveAudioAdvanced", {"audio": AUDIO, "format": "mp3", "format.quality": "128k"}),
    ("SaveLatent", {"samples": ["latent", 0]}),
]


def saved(worker: WorkerProcess, graph: Graph, extra_data: dict[str, Any]) -> Done:
    job = worker.submit(graph, extra_data)
    return done(next(message for message in reversed(worker.events([job])) if isinstance(message, Done)))


@pytest.mark.parametrize(("class_type", "inputs"), SAVES, ids=[f"{number}-{case[0]}" for number, case in enumerate(SAVES)])
def test_what_a_node_saves_can_be_run_again(worker: WorkerProcess, class_type: str, inputs: Graph) -> None:
    save = {"class_type": class_type, "inputs": inputs | {"filename_prefix": f"again/{class_type}"}, "_meta": {"title": "größer"}}
    graph = SOURCES | {"save": save}
    with_ui = saved(worker, graph, {"extra_pnginfo": {"workflow": UI}})
    for file in with_ui.files:
        found = load(file)
        assert found.ui == UI
        assert found.api is not None
        assert found.api == graph
    alone = saved(worker, graph | {"save": save | {"inputs": save["inputs"] | {"filename_prefix": "again/alone"}}}, {})
    found = load(alone.files[0])
    assert (found.ui, (found.api or {})["save"]["class_type"]) == (None, class_type)
