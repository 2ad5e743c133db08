"""On a CUDA machine: what comes out of captured graphs equals stock ComfyUI's server to the last bit.

``GPU_COMFYUI`` names the ComfyUI tree; ``GPU_CHECKPOINT`` and ``GPU_CHECKPOINT_XL`` checkpoints of SD1.5's and SDXL's layout, for
each of which ``python -m tests.gpu.make_parts`` has written a LoRA, a ControlNet and further models.
"""

import contextlib
import copy
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from comfyd.protocol import Cancel, Cancelled, Done, Failed, Graph, Progress, Unload, WaitReady, Watch
from tests.daemon_process import DaemonProcess, detach, end_of
from tests.engine.stock import StockServer

from . import matrix
from .matrix import LATENT, SAMPLER, STEPS, plain
from .told import graphs, replays, wait_for_idle_captures

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(600)]
SD15 = os.environ.get("GPU_CHECKPOINT", "")
SDXL = os.environ.get("GPU_CHECKPOINT_XL", "")
SAMPLERS = ["euler", "dpmpp_2m", "euler_ancestral", "dpmpp_sde", "uni_pc", "ddim", "lcm", "heun", "dpm_adaptive", "res_multistep"]
needs_xl = pytest.mark.skipif(not SDXL, reason="no checkpoint of SDXL's layout is named")


@pytest.fixture(scope="module")
def cuda() -> Iterator[DaemonProcess]:
    with worker() as process:
        yield process


@pytest.fixture(scope="module")
def stock() -> Iterator[StockServer]:
    with stock_server() as server:
        yield server


@contextlib.contextmanager
def worker(*arguments: str) -> Iterator[DaemonProcess]:
    process = DaemonProcess(Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp")))
    process.start(comfyui=os.environ["GPU_COMFYUI"], engine_args=["--disable-api-nodes", *arguments])
    with process.client() as client:
        client.call(WaitReady())
    try:
        yield process
    finally:
        process.end()


@contextlib.contextmanager
def stock_server(*arguments: str) -> Iterator[StockServer]:
    """Unmodified ComfyUI with its default arguments, but for these, and the same models."""
    base = Path(tempfile.mkdtemp(prefix="stock-", dir="/tmp"))
    (base / "models").symlink_to(Path(os.environ["GPU_COMFYUI"]) / "models")
    server = StockServer(Path(os.environ["GPU_COMFYUI"]), base, arguments=arguments)
    try:
        yield server
    finally:
        server.close()


def seeded(checkpoint: str, seed: int, **sampler: Any) -> Graph:
    graph = plain(checkpoint, **sampler)
    graph[SAMPLER]["inputs"]["seed"] = seed
    return graph


def made(process: DaemonProcess, graph: Graph) -> dict[str, numpy.ndarray]:
    """What a job saved: pictures and latents."""
    with process.client() as client:
        end = end_of(client, detach(client, graph))
    assert isinstance(end, Done), end
    return contents([Path(file) for file in end.files])


def stock_made(server: StockServer, graph: Graph) -> dict[str, numpy.ndarray]:
    pictures = server.run(graph)
    latent = max(server.output.glob("latent*.latent"), key=lambda path: path.stat().st_mtime_ns)
    return contents([*pictures, latent])


def contents(files: list[Path]) -> dict[str, numpy.ndarray]:
    pictures = [numpy.asarray(Image.open(file)) for file in files if file.suffix == ".png"]
    [latent] = [load_file(file)["latent_tensor"] for file in files if file.suffix == ".latent"]
    assert numpy.isfinite(latent).all()
    return {"latent": latent} | {f"picture {number}": picture for number, picture in enumerate(pictures)}


def same(one: dict[str, numpy.ndarray], other: dict[str, numpy.ndarray]) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def difference(mine: dict[str, numpy.ndarray], theirs: dict[str, numpy.ndarray]) -> str:
    """How many values differ, and by how much at most."""
    apart = {name: abs(mine[name].astype(float) - theirs[name].astype(float)) for name in mine}
    return ", ".join(f"{name}: {(a > 0).sum()} of {a.size} differ, at most {a.max():.3g}" for name, a in apart.items())


def check(cuda: DaemonProcess, stock: StockServer, graph: Graph, label: str = "UNetModel", least: int = STEPS) -> None:
    """Has the call captured in the second run, which is short; the third then replays it, and equals stock ComfyUI's."""
    again = copy.deepcopy(graph)
    for _ in range(2):
        made(cuda, again)
        again[SAMPLER]["inputs"]["seed"] += 1
    before = replays(cuda, label)
    mine = made(cuda, again)
    assert replays(cuda, label) - before >= least, graphs(cuda)
    stock_made(stock, graph)  # it computes sigmas on the CPU as long as the model is there: other bits than from then on
    theirs = stock_made(stock, again)
    assert same(mine, theirs), difference(mine, theirs)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplers(cuda: DaemonProcess, stock: StockServer, sampler: str) -> None:
    check(cuda, stock, plain(SD15, sampler_name=sampler))


@pytest.mark.parametrize("scheduler", ["karras", "exponential", "sgm_uniform", "simple", "ddim_uniform", "beta"])
def test_schedulers(cuda: DaemonProcess, stock: StockServer, scheduler: str) -> None:
    check(cuda, stock, plain(SD15, scheduler=scheduler, sampler_name="dpmpp_2m"), least=STEPS - 2)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "euler_ancestral"])
@pytest.mark.parametrize("variant", matrix.VARIANTS)
def test_variants(cuda: DaemonProcess, stock: StockServer, variant: Callable[[Graph], Graph], sampler: str) -> None:
    least = 0 if variant is matrix.hypertile else STEPS - 2
    check(cuda, stock, variant(plain(SD15, sampler_name=sampler)), least=least)


@needs_xl
@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_sde"])
def test_samplers_xl(cuda: DaemonProcess, stock: StockServer, sampler: str) -> None:
    check(cuda, stock, plain(SDXL, sampler_name=sampler))


@needs_xl
@pytest.mark.parametrize("variant", matrix.VARIANTS)
def test_variants_xl(cuda: DaemonProcess, stock: StockServer, variant: Callable[[Graph], Graph]) -> None:
    least = 0 if variant is matrix.hypertile else STEPS - 2
    check(cuda, stock, variant(plain(SDXL)), least=least)


def test_decoder_and_text_encoder_are_graphs_too(cuda: DaemonProcess, stock: StockServer) -> None:
    for number in range(4):
        graph = seeded(SD15, 40 + number)
        graph[matrix.POSITIVE]["inputs"]["text"] = f"fox number {number}"
        mine, theirs = made(cuda, graph), stock_made(stock, graph)
    assert replays(cuda, "AutoencoderKL.decode") > 0, graphs(cuda)
    assert replays(cuda, "CLIPEncoder") > 0, graphs(cuda)
    assert same(mine, theirs), difference(mine, theirs)


@pytest.mark.parametrize("masked", [False, True])
def test_encoder_of_pictures_is_a_graph_too(cuda: DaemonProcess, stock: StockServer, masked: bool) -> None:
    before = replays(cuda, "AutoencoderKL.encode")
    for number in range(4):
        graph = matrix.outpaint(seeded(SD15, 100 + number), colour=0x204060 + 0x111 * number, masked=masked)
        mine, theirs = made(cuda, graph), stock_made(stock, graph)
    assert replays(cuda, "AutoencoderKL.encode") > before, graphs(cuda)
    assert same(mine, theirs), difference(mine, theirs)


def test_loras_on_the_text_encoder_keep_its_graph(cuda: DaemonProcess, stock: StockServer) -> None:
    for number, strength in enumerate((1.0, 0.5, 0.25)):
        before = replays(cuda, "CLIPEncoder")
        # The first text after a change has other bits than later ones in the stock server, see comfyd.worker.merging.
        stock_made(stock, matrix.text_lora(worded("one text", "another"), strength))
        graph = matrix.text_lora(worded(f"fox number {number}", "blurry"), strength)
        mine, theirs = made(cuda, graph), stock_made(stock, graph)
        assert same(mine, theirs), difference(mine, theirs)
    assert replays(cuda, "CLIPEncoder") - before >= 2, graphs(cuda)


def forget(process: DaemonProcess) -> None:
    """Everything, so that there is room for graphs."""
    with process.client() as client:
        client.call(Unload(everything=True))


def worded(positive: str, negative: str) -> Graph:
    graph = seeded(SD15, 110)
    for node, text in ((matrix.POSITIVE, positive), (matrix.NEGATIVE, negative)):
        graph[node]["inputs"]["text"] = text
    return graph


def test_the_second_picture_is_a_replay_once_the_worker_was_idle(cuda: DaemonProcess, stock: StockServer) -> None:
    forget(cuda)
    made(cuda, seeded(SD15, 120))
    for label in ("CLIPEncoder", "UNetModel", "AutoencoderKL.decode"):
        wait_for_idle_captures(cuda, label)
    mine = made(cuda, seeded(SD15, 121))
    assert (replays(cuda, "UNetModel"), replays(cuda, "AutoencoderKL.decode")) == (STEPS, 1), graphs(cuda)
    stock_made(stock, seeded(SD15, 120))
    theirs = stock_made(stock, seeded(SD15, 121))
    assert same(mine, theirs), difference(mine, theirs)


def test_a_single_step_is_a_replay_once_the_worker_was_idle(cuda: DaemonProcess, stock: StockServer) -> None:
    first, second = (seeded(SD15, seed, steps=1) for seed in (130, 131))
    for graph in (first, second):
        graph[LATENT]["inputs"] |= {"width": 192, "height": 320}
    forget(cuda)
    made(cuda, first)
    wait_for_idle_captures(cuda, "UNetModel")
    mine = made(cuda, second)
    assert replays(cuda, "UNetModel") == 1, graphs(cuda)
    stock_made(stock, first)
    theirs = stock_made(stock, second)
    assert same(mine, theirs), difference(mine, theirs)


def test_a_job_that_comes_during_a_capture_is_right(cuda: DaemonProcess, stock: StockServer) -> None:
    """The decoder's capture comes after the diffusion model's, and is under way when that is told."""
    forget(cuda)
    for number in range(4):
        first, second = (seeded(SD15, 140 + 2 * number + more, steps=2) for more in (0, 1))
        for graph in (first, second):
            graph[LATENT]["inputs"] |= {"width": 384 + 64 * number, "height": 448}
        made(cuda, first)
        wait_for_idle_captures(cuda, "UNetModel", number + 1)
        mine = made(cuda, second)
        stock_made(stock, first)
        theirs = stock_made(stock, second)
        assert same(mine, theirs), difference(mine, theirs)


@pytest.mark.parametrize("variant", matrix.EAGER)
def test_what_changes_modules_or_weights_on_the_way_runs_eagerly(
    cuda: DaemonProcess, stock: StockServer, variant: Callable[[Graph], Graph]
) -> None:
    check(cuda, stock, plain(SD15))
    before = replays(cuda, "UNetModel")
    check(cuda, stock, variant(plain(SD15)), least=0)
    assert replays(cuda, "UNetModel") == before, graphs(cuda)
    check(cuda, stock, seeded(SD15, 150))


@pytest.mark.parametrize("variant", matrix.OTHER_MODELS)
def test_other_diffusion_models(cuda: DaemonProcess, stock: StockServer, variant: Callable[[Graph], Graph]) -> None:
    check(cuda, stock, variant(plain(SD15)))


@pytest.mark.parametrize("variant", matrix.SAMPLINGS)
def test_other_samplings_keep_the_graphs_of_the_models_own(cuda: DaemonProcess, variant: Callable[[Graph], Graph]) -> None:
    """Each with a stock server of its own, which mixes up the tables of samplings that one loaded model has had in turn."""
    with stock_server() as own:
        check(cuda, own, variant(seeded(SD15, 160)), least=STEPS - 1)
    with stock_server() as own:
        check(cuda, own, seeded(SD15, 160))
    for seed in (170, 171):
        for graph in (seeded(SD15, seed), variant(seeded(SD15, seed))):
            before = replays(cuda, "UNetModel")
            made(cuda, graph)
            assert replays(cuda, "UNetModel") - before >= STEPS - 1, graphs(cuda)


@needs_xl
def test_a_switch_of_models_and_back(cuda: DaemonProcess, stock: StockServer) -> None:
    for checkpoint in (SD15, SDXL, SD15):
        for seed in (180, 181):
            mine, theirs = made(cuda, seeded(checkpoint, seed)), stock_made(stock, seeded(checkpoint, seed))
        assert same(mine, theirs), difference(mine, theirs)


@pytest.mark.parametrize("flag", ["--lowvram", "--novram"])
def test_a_worker_that_is_to_keep_memory_free(flag: str) -> None:
    with worker(flag) as process, stock_server(flag) as server:
        for graph in (plain(SD15), seeded(SD15, 190), matrix.lora(seeded(SD15, 191)), seeded(SD15, 192)):
            mine, theirs = made(process, graph), stock_made(server, graph)
            assert graph == plain(SD15) or same(mine, theirs), difference(mine, theirs)


def test_a_capture_that_finds_no_memory_fails_alone(stock: StockServer) -> None:
    """With little memory free no call is captured in idle time; the second run tries to, beside what eager calls have taken.

    In a worker of its own: others' graphs would make room, and who has made room too often is not asked for a capture.
    """
    large = [matrix.latent_only(seeded(SD15, seed)) for seed in (200, 201, 202)]
    for graph in large:
        graph[LATENT]["inputs"] |= {"width": 1024, "height": 1024, "batch_size": 4}
    with worker() as process:
        with filled(leaving=8 << 30):
            made(process, large[0])
            with filled(leaving=1200 << 20):
                mine = made(process, large[1])
                notes = [resident.note for resident in graphs(process)]
        assert any("memory ran out during capture" in note or "too little VRAM" in note for note in notes), notes
        for graph in large[:2]:
            theirs = stock_made(stock, graph)
        assert same(mine, theirs), difference(mine, theirs)
        with process.client() as client:
            client.call(Unload(everything=True))
        check(process, stock, large[2])


@contextlib.contextmanager
def filled(leaving: int) -> Iterator[None]:
    """The device's memory, but for so many bytes."""
    free, _ = torch.cuda.mem_get_info()
    ballast = [torch.empty(max(free - leaving, 0), dtype=torch.uint8, device="cuda")]
    try:
        yield
    finally:
        ballast.clear()
        torch.cuda.empty_cache()


def test_what_draws_random_numbers_runs_eagerly_and_says_so(cuda: DaemonProcess) -> None:
    made(cuda, matrix.hypertile(seeded(SD15, 50)))
    assert any("runs eagerly" in resident.note and "hypertile" in resident.note for resident in graphs(cuda)), graphs(cuda)


def test_a_switch_of_shape_and_back(cuda: DaemonProcess, stock: StockServer) -> None:
    wide = seeded(SD15, 60)
    wide[LATENT]["inputs"] |= {"width": 320, "height": 192}
    for seed in (60, 61, 62):
        for graph in (wide, plain(SD15)):
            graph[SAMPLER]["inputs"]["seed"] = seed
            mine, theirs = made(cuda, graph), stock_made(stock, graph)
            assert seed == 60 or same(mine, theirs), difference(mine, theirs)


def test_cancel_between_replays_and_the_next_run_is_right(cuda: DaemonProcess, stock: StockServer) -> None:
    with cuda.client() as client:
        job = detach(client, seeded(SD15, 70, steps=400))
        for message in client.stream(Watch(job=job)):
            if isinstance(message, Progress) and message.value >= 20:
                break
        client.call(Cancel(job=job))
        assert isinstance(end_of(client, job), Cancelled)
    check(cuda, stock, seeded(SD15, 71))


def test_jobs_at_once_equal_stock(cuda: DaemonProcess, stock: StockServer) -> None:
    wanted = [seeded(SD15, 80, sampler_name=name) for name in ("euler", "dpmpp_2m", "euler_ancestral")]
    with cuda.client() as client:
        jobs = [detach(client, graph) for graph in wanted]
        ends = [end_of(client, job) for job in jobs]
    for graph, end in zip(wanted, ends, strict=True):
        assert isinstance(end, Done)
        mine, theirs = contents([Path(file) for file in end.files]), stock_made(stock, graph)
        assert same(mine, theirs), difference(mine, theirs)


def test_unloaded_models_take_their_graphs_along(cuda: DaemonProcess, stock: StockServer) -> None:
    check(cuda, stock, seeded(SD15, 90))
    forget(cuda)
    assert [resident for resident in graphs(cuda) if "captured" in resident.note] == []
    check(cuda, stock, seeded(SD15, 92))


def test_too_large_a_job_drops_graphs_and_fails_alone(cuda: DaemonProcess, stock: StockServer) -> None:
    large = seeded(SD15, 95, steps=2)
    large[LATENT]["inputs"] |= {"width": 2048, "height": 2048, "batch_size": 256}
    with cuda.client() as client:
        end = end_of(client, detach(client, large))
    assert isinstance(end, Failed)
    assert end.error.code == "out-of-memory", end.error
    check(cuda, stock, seeded(SD15, 96))
