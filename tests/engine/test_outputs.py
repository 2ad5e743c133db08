"""Where files end up: whole, under their names, once, whatever node of ComfyUI saves them."""

from pathlib import Path

import pytest

from comfyd.protocol import Graph, NodeDone

from .graphs import DECODE, SAMPLER, SAVE, demo
from .worker import WorkerProcess, done

PREFIX = "sub folder/größe 图"
SOURCES: Graph = {
    "images": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 3, "color": 255}},
    "audio": {"class_type": "EmptyAudio", "inputs": {"duration": 0.1, "sample_rate": 44100, "channels": 2}},
    "video": {"class_type": "CreateVideo", "inputs": {"images": ["images", 0], "fps": 8.0}},
    "latent": {"class_type": "EmptyLatentImage", "inputs": {"width": 16, "height": 16, "batch_size": 1}},
}
WEBP = {"images": ["images", 0], "fps": 6.0, "lossless": True, "quality": 80, "method": "fastest"}
SAVES = [
    ("SaveImage", {"images": ["images", 0]}, 3),
    ("SaveAnimatedWEBP", WEBP, 1),
    ("SaveAnimatedPNG", {"images": ["images", 0], "fps": 6.0, "compress_level": 4}, 1),
    ("SaveAudio", {"audio": ["audio", 0]}, 1),
    ("SaveVideo", {"video": ["video", 0], "format": "mp4", "codec": "h264"}, 1),
    ("SaveLatent", {"samples": ["latent", 0]}, 1),
]


@pytest.mark.parametrize(("class_type", "inputs", "count"), SAVES, ids=[case[0] for case in SAVES])
def test_saved_files_are_in_place_and_reported_again(worker: WorkerProcess, class_type: str, inputs: Graph, count: int) -> None:
    graph = SOURCES | {"save": {"class_type": class_type, "inputs": inputs | {"filename_prefix": f"{PREFIX} {class_type}"}}}
    first, second = done(worker.run(graph)), done(worker.run(graph))
    files = [Path(file) for file in first.files]
    assert len(files) == count
    assert {file.parent for file in files} == {worker.base / "output" / "sub folder"}
    assert all(file.stat().st_size for file in files)
    assert (second.files, second.executed) == (first.files, [])
    files[0].unlink()
    third = done(worker.run(graph))
    assert third.executed == ["save"]
    assert all(Path(file).exists() for file in third.files)


def test_previews_are_reported_where_nothing_is_saved(worker: WorkerProcess) -> None:
    graph = SOURCES | {"show": {"class_type": "PreviewImage", "inputs": {"images": ["images", 0]}}}
    files = [Path(file) for file in done(worker.run(graph)).files]
    assert [file.parent for file in files] == [worker.base / "temp"] * 3
    assert all(file.exists() for file in files)


def test_jobs_at_once_number_their_files_apart(worker: WorkerProcess) -> None:
    graphs = [demo("owl", seed=100 + number) for number in range(3)]
    files = [file for end in worker.run_all(graphs) for file in done(end).files]
    assert len({*files}) == 3
    assert all(Path(file).exists() for file in files)


def test_nothing_stays_in_the_staging_area(worker: WorkerProcess) -> None:
    job = worker.submit(demo("fox", seed=110))
    assert [m.node for m in worker.events([job]) if isinstance(m, NodeDone)][-3:] == [SAMPLER, DECODE, SAVE]
    assert list((worker.base / "output" / ".comfyd-staging").iterdir()) == []
