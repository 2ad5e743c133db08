"""On a CUDA machine: results that stay on the device between nodes are the same for every node after them."""

import copy
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from PIL import Image

from comfyd.protocol import Done, Graph, PsReply, PsRequest, WaitReady
from tests.bench.work import Work
from tests.daemon_process import DaemonProcess, detach, end_of, wait_until
from tests.engine.stock import StockServer

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(600)]
SD15 = os.environ.get("GPU_CHECKPOINT", "")
SAMPLER, DECODE, SAVE = "5", "6", "7"


@pytest.fixture(scope="module")
def cuda() -> Iterator[DaemonProcess]:
    process = DaemonProcess(Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp")))
    process.start(comfyui=os.environ["GPU_COMFYUI"], engine_args=["--disable-api-nodes"])
    with process.client() as client:
        client.call(WaitReady())
    yield process
    process.end()


@pytest.fixture(scope="module")
def stock() -> Iterator[StockServer]:
    base = Path(tempfile.mkdtemp(prefix="stock-", dir="/tmp"))
    (base / "models").symlink_to(Path(os.environ["GPU_COMFYUI"]) / "models")
    server = StockServer(Path(os.environ["GPU_COMFYUI"]), base, arguments=())
    yield server
    server.close()


def plain(seed: int) -> Graph:
    return Work.checkpoint(SD15, 512, 4).seeded(seed)


def inverted(seed: int) -> Graph:
    """A node of ComfyUI's between decoder and file that is given pictures in RAM."""
    graph = copy.deepcopy(plain(seed))
    graph["20"] = {"class_type": "ImageInvert", "inputs": {"image": [DECODE, 0]}}
    graph[SAVE]["inputs"]["images"] = ["20", 0]
    return graph


def handed_on(seed: int) -> Graph:
    """The same after a node that saves, which hands its pictures on."""
    graph = copy.deepcopy(plain(seed))
    size = {"upscale_method": "bicubic", "width": 300, "height": 200, "crop": "center"}
    graph["22"] = {"class_type": "ImageScale", "inputs": {"image": [SAVE, 0], **size}}
    graph["23"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "scaled", "images": ["22", 0]}}
    return graph


def enlarged(seed: int) -> Graph:
    """The same between sampler and decoder."""
    graph = copy.deepcopy(plain(seed))
    size = {"upscale_method": "bilinear", "width": 640, "height": 576, "crop": "disabled"}
    graph["21"] = {"class_type": "LatentUpscale", "inputs": {"samples": [SAMPLER, 0], **size}}
    graph[DECODE]["inputs"]["samples"] = ["21", 0]
    return graph


def made(process: DaemonProcess, graph: Graph) -> tuple[Done, numpy.ndarray]:
    with process.client() as client:
        end = end_of(client, detach(client, graph))
    assert isinstance(end, Done), end
    return end, numpy.asarray(Image.open(end.files[0]))


def _pixels(file: str | Path) -> bytes:
    return numpy.asarray(Image.open(file)).tobytes()


@pytest.mark.parametrize("graph", [plain, inverted, handed_on, enlarged])
def test_the_picture_is_stock_comfyuis(cuda: DaemonProcess, stock: StockServer, graph: object) -> None:
    for seed in (1, 2, 3):
        files = stock.run(graph(seed))  # type: ignore[operator]
        end, _ = made(cuda, graph(seed))  # type: ignore[operator]
        assert sorted(map(_pixels, end.files)) == sorted(map(_pixels, files))


def test_another_node_takes_a_result_that_stayed_on_the_device(cuda: DaemonProcess) -> None:
    made(cuda, plain(11))
    end, picture = made(cuda, inverted(11))
    assert DECODE not in end.executed
    _, whole = made(cuda, plain(11))
    assert numpy.abs(255 - whole.astype(int) - picture).max() <= 1


def test_the_device_is_left_once_nothing_runs(cuda: DaemonProcess) -> None:
    made(cuda, plain(12))

    def left() -> bool:
        with cuda.client() as client:
            reply = client.call(PsRequest())
        assert isinstance(reply, PsReply)
        return not any(line.name == "results" and line.device == "gpu" for line in reply.residents)

    wait_until(left, "results in RAM")


def test_the_job_says_what_its_nodes_took(cuda: DaemonProcess) -> None:
    end, _ = made(cuda, plain(13))
    assert end.device_seconds[SAMPLER] > 0.01
    assert end.device_seconds[DECODE] > 0.002
    assert sum(end.device_seconds.values()) <= end.seconds
