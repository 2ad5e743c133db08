"""Pictures as ComfyUI's own SaveImage writes them, while the next job runs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from comfyd.protocol import Cancelled, CancelRun, Done, Graph, NodeDone, Output, Run

from .graphs import chain
from .worker import WorkerProcess, done, failed


def picture(prefix: str, size: int = 32, color: int = 7) -> Graph:
    """One plain picture, saved."""
    return {
        "source": {"class_type": "EmptyImage", "inputs": {"width": size, "height": size, "batch_size": 1, "color": color}},
        "save": {"class_type": "SaveImage", "inputs": {"images": ["source", 0], "filename_prefix": prefix}},
    }


def look(value: str) -> Graph:
    """A job of ComfyUI's own nodes that writes nothing."""
    return {"1": {"class_type": "PreviewAny", "inputs": {"source": value}}}


def texts(file: str) -> list[tuple[bytes, bytes]]:
    """A PNG's text chunks with their checksums, in order."""
    data, found, at = Path(file).read_bytes(), [], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in (b"IHDR", b"IDAT", b"IEND"):
            found.append((data[at + 4 : at + 8], data[at + 8 : end]))
        at = end
    return found


def both(worker: WorkerProcess, prefix: str, source: dict[str, Any], extra: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The same images saved by comfyd and by ComfyUI's own code."""
    graph: Graph = {"source": source}
    for node, class_type in (("ours", "SaveImage"), ("theirs", "TestSaveAsComfyUI")):
        graph[node] = {"class_type": class_type, "inputs": {"images": ["source", 0], "filename_prefix": f"{prefix}/{node}"}}
    worker.send(Run(job=(job := 1000 + len(prefix)), graph=graph, extra_data={"extra_pnginfo": extra}))
    files = {m.node: m.files for m in worker.events([job]) if isinstance(m, Output)}
    return files["ours"], files["theirs"]


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_pixels_and_texts_are_those_of_comfyui(worker: WorkerProcess, dtype: str, channels: int) -> None:
    source = {"class_type": "TestPixels", "inputs": {"text": f"{dtype} {channels}"}}
    extra = {"workflow": {"nodes": [{"title": "größe 图"}]}, "other": [1, None]}
    ours, theirs = both(worker, f"{'x' * channels}-{dtype}", source, extra)
    assert (len(ours), [Path(file).name for file in ours]) == (3, [Path(file).name.replace("theirs", "ours") for file in theirs])
    for one, other in zip(ours, theirs, strict=True):
        pictures = Image.open(one), Image.open(other)
        assert (pictures[0].mode, pictures[0].size) == (pictures[1].mode, pictures[1].size)
        assert numpy.array_equal(*map(numpy.asarray, pictures))
        assert texts(one) == texts(other)
        assert len(texts(one)) == 3
        assert Path(one).read_bytes() != Path(other).read_bytes()


def test_what_comfyui_cannot_save_it_refuses_itself(worker: WorkerProcess) -> None:
    graph = picture("refused") | {"source": {"class_type": "TestPixels", "inputs": {"text": "float32 1"}}}
    assert "Cannot handle this data type" in failed(worker.run(graph)).error.message


def test_masks_are_previewed_by_the_same_way(worker: WorkerProcess) -> None:
    graph: Graph = {
        "mask": {"class_type": "SolidMask", "inputs": {"value": 0.5, "width": 20, "height": 10}},
        "show": {"class_type": "MaskPreview", "inputs": {"mask": ["mask", 0]}},
    }
    (file,) = done(worker.run(graph)).files
    assert numpy.unique(numpy.asarray(Image.open(file))).tolist() == [127]


def test_batch_numbers_and_counters(worker: WorkerProcess) -> None:
    graph = picture("many/b%batch_num%-%width%")
    graph["source"]["inputs"]["batch_size"] = 3
    names = [Path(file).name for file in done(worker.run(graph)).files]
    assert names == ["b0-32_00001_.png", "b1-32_00002_.png", "b2-32_00003_.png"]


@pytest.fixture
def held(worker: WorkerProcess, tmp_path: Path) -> Iterator[Path]:
    """Files are written once this one exists."""
    go = tmp_path / "go"
    done(worker.run(chain("TestHoldWrites", text=str(go))))
    yield go
    go.touch()


def test_the_next_job_runs_while_files_are_written(worker: WorkerProcess, held: Path) -> None:
    first = worker.submit(picture("later"))
    worker.wait_for(NodeDone, first)
    second = worker.submit(look("meanwhile"))
    before = worker.events([second])
    assert [type(m) for m in before if getattr(m, "job", None) == first and isinstance(m, (Output, Done))] == []
    held.touch()
    after = [m for m in worker.events([first]) if isinstance(m, (Output, Done))]
    assert [type(m) for m in after] == [Output, Done]
    assert all(Path(file).exists() for file in done(after[-1]).files)


def test_files_on_their_way_count_for_the_next_number(worker: WorkerProcess, held: Path) -> None:
    jobs = [worker.submit(picture("number", color=color)) for color in (1, 2, 3)]
    saved = 0
    while saved < len(jobs):
        saved += worker.wait_for(NodeDone).node == "save"
    held.touch()
    names = sorted(Path(m.files[0]).name for m in worker.events(jobs) if isinstance(m, Done))
    assert names == ["number_00001_.png", "number_00002_.png", "number_00003_.png"]


def test_a_job_with_the_same_result_waits_for_the_same_file(worker: WorkerProcess, held: Path) -> None:
    first, second = worker.submit(picture("same")), worker.submit(picture("same"))
    third = worker.submit(look("third"))
    assert not [m for m in worker.events([third]) if isinstance(m, Done) and m.job in (first, second)]
    held.touch()
    ends = [m for m in worker.events([first, second]) if isinstance(m, Done)]
    assert ends[0].files == ends[1].files
    assert [end.executed for end in sorted(ends, key=lambda end: end.job)][1] == []


def test_a_cancelled_jobs_file_never_appears(worker: WorkerProcess, held: Path) -> None:
    job = worker.submit(picture("cancelled"))
    while worker.wait_for(NodeDone, job).node != "save":
        pass
    worker.send(CancelRun(job=job))
    assert isinstance(worker.events([job])[-1], Cancelled)
    held.touch()
    other = done(worker.run(picture("cancelled", color=8))).files[0]
    folder = worker.base / "output"
    assert list(map(str, folder.glob("cancelled*"))) == [other]
    assert done(worker.run(picture("cancelled"))).executed == ["save"]
    assert list((folder / ".comfyd-staging").iterdir()) == []


def test_a_file_that_cannot_be_written_fails_the_job(worker: WorkerProcess, tmp_path: Path) -> None:
    small = worker.base / "output" / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        graph = picture("small/noise")
        graph["source"] = {"class_type": "TestPixels", "inputs": {"text": "float32 3"}}
        end = failed(worker.run(graph))
        assert (end.error.code, end.node) == ("disk-full", "save")
        assert str(small / "noise_0000") in end.error.message
        assert not [file for file in small.iterdir() if file.name.startswith(".") or file.stat().st_size == 0]
        assert failed(worker.run(graph)).executed == ["save"]
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_killed_worker_leaves_no_file_and_the_next_one_no_trace(
    own_worker: WorkerProcess, comfyui: Path, demo_checkpoint: Path, tmp_path: Path
) -> None:
    done(own_worker.run(chain("TestHoldWrites", text=str(tmp_path / "never"))))
    job = own_worker.submit(picture("killed"))
    while own_worker.wait_for(NodeDone, job).node != "save":
        pass
    output = own_worker.base / "output"
    staging = output / ".comfyd-staging"
    staging.mkdir(exist_ok=True)
    (staging / f"{own_worker.process.pid}-1-0.part").write_bytes(b"half")
    own_worker.process.kill()
    own_worker.process.wait()
    assert list(output.rglob("*.png")) == []
    arguments = ["--cpu", "--base-directory", str(own_worker.base), "--disable-api-nodes", "--disable-metadata"]
    second = WorkerProcess(comfyui, own_worker.base, demo_checkpoint.parent.parent, {"engine_args": arguments, "png": "comfyui"})
    try:
        second.ready()
        assert list(staging.iterdir()) == []
        (file,) = done(second.run(picture("plain"))).files
        assert texts(file) == []
    finally:
        second.close()
