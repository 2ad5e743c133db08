"""Which nodes cost the same, which are alike, and what their time is estimated to be."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from comfyd.protocol import Graph, PlannedNode
from comfyd.workflow.planning.cost import FIRST, LOADS, WARM, Cost, coldness, costs
from comfyd.workflow.planning.estimate import peak, timed, total

from .test_plan import changed, node

GRAPH: Graph = {
    "1": node("CheckpointLoaderSimple", ckpt_name="a.safetensors"),
    "2": node("CLIPTextEncode", text="a red fox", clip=["1", 1]),
    "4": node("EmptyLatentImage", width=512, height=512, batch_size=1),
    "5": node("KSampler", seed=1, steps=20, cfg=7.0, sampler_name="euler", scheduler="normal", model=["1", 0], latent=["4", 0]),
    "6": node("VAEDecode", samples=["5", 0], vae=["1", 2]),
    "7": node("SaveImage", images=["6", 0], filename_prefix="x"),
}
GRAPH["5"]["inputs"]["positive"] = ["2", 0]


def sampler(graph: Graph = GRAPH, device: str = "cpu", mode: str = "") -> Cost:
    return costs(graph, None, device, mode)["5"]


@pytest.mark.parametrize(
    ("id_", "inputs"),
    [("5", {"seed": 9}), ("2", {"text": "another"}), ("7", {"filename_prefix": "y"})],
)
def test_seeds_texts_and_prefixes_cost_nothing(id_: str, inputs: dict[str, Any]) -> None:
    assert costs(changed(GRAPH, id_, **inputs), None, "cpu") == costs(GRAPH, None, "cpu")


@pytest.mark.parametrize(
    ("id_", "inputs", "amount"),
    [("5", {"steps": 10}, 0.5), ("4", {"width": 1024}, 2), ("4", {"batch_size": 3}, 3), ("5", {"cfg": 5.0}, 1)],
)
def test_sizes_and_steps_are_scaled(id_: str, inputs: dict[str, Any], amount: float) -> None:
    other = sampler(changed(GRAPH, id_, **inputs))
    assert other.exact != sampler().exact
    assert other.near == sampler().near
    assert other.amount == sampler().amount * amount


@pytest.mark.parametrize(
    ("id_", "inputs"),
    [("1", {"ckpt_name": "b.safetensors"}), ("5", {"sampler_name": "heun"}), ("5", {"cfg": 1})],
)
def test_another_model_or_sampler_is_not_alike(id_: str, inputs: dict[str, Any]) -> None:
    assert sampler(changed(GRAPH, id_, **inputs)).near != sampler().near


def test_device_and_mode_are_part_of_it() -> None:
    assert len({sampler(device=device, mode=mode).exact for device in ("cpu", "cuda:0") for mode in ("", "fast")}) == 4
    assert len({sampler(device=device, mode=mode).near for device in ("cpu", "cuda:0") for mode in ("", "fast")}) == 4


def test_a_lora_is_alike() -> None:
    graph = GRAPH | {"9": node("LoraLoaderModelOnly", lora_name="l.safetensors", strength_model=1.0, model=["1", 0])}
    assert sampler(changed(graph, "5", model=["9", 0])).near == sampler().near


def test_sigmas_bring_their_steps() -> None:
    graph: Graph = {
        "1": node("BasicScheduler", steps=8),
        "2": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "3": node("SamplerCustomAdvanced", sigmas=["1", 0], latent_image=["2", 0]),
        "4": node("KSamplerAdvanced", steps=20, start_at_step=15, end_at_step=10000, latent_image=["2", 0]),
        "5": node("LatentUpscaleBy", scale_by=2.0, samples=["3", 0]),
    }
    amounts = {id_: cost.amount for id_, cost in costs(graph, None, "cpu").items()}
    assert (amounts["3"], amounts["4"], amounts["5"]) == (8 * 4096, 5 * 4096, 4 * 4096)


def test_cold_is_what_is_below_a_model_that_is_loaded() -> None:
    assert coldness(GRAPH, "567", lambda _: False) == {"5": WARM, "6": WARM, "7": WARM}
    cold = coldness(GRAPH, "124567", lambda class_type: class_type == "SaveImage")
    assert cold == {"1": LOADS, "2": LOADS, "4": WARM, "5": LOADS, "6": LOADS, "7": FIRST}


# ---------------------------------------------------------------- estimates


class Once(NamedTuple):
    amount: float
    seconds: float


class Known:
    """Measurements of the sampler's signatures by coldness."""

    def __init__(
        self,
        exact: dict[int, list[Once]] | None = None,
        near: dict[int, list[Once]] | None = None,
        peaks: dict[str, int] | None = None,
    ) -> None:
        self._exact, self._near, self._peaks = exact or {}, near or {}, peaks or {}

    def least_peak(self, shape: str) -> int | None:
        return self._peaks.get(shape)

    def exact(self, signature: str, cold: int) -> Sequence[Once]:
        return self._exact.get(cold, []) if signature == sampler().exact else []

    def near(self, signature: str, cold: int) -> Sequence[Once]:
        return self._near.get(cold, []) if signature == sampler().near else []


def planned(timings: Known, warm: bool = True) -> PlannedNode:
    nodes = [PlannedNode(node=id_, class_type=each["class_type"], title="", state="cached") for id_, each in GRAPH.items()]
    nodes[3] = PlannedNode(node="5", class_type="KSampler", title="", state="run")
    classes = {each["class_type"] for each in GRAPH.values()} if warm else set()
    return timed(nodes, GRAPH, costs(GRAPH, None, "cpu"), timings, classes)[3]


AMOUNT = 512 * 512 * 20


def test_the_median_of_equal_runs() -> None:
    node = planned(Known(exact={WARM: [Once(AMOUNT, 2.0), Once(AMOUNT, 1.0), Once(AMOUNT, 9.0)], FIRST: [Once(AMOUNT, 30.0)]}))
    assert (node.seconds, node.basis) == (2.0, "measured")


def test_cold_runs_are_estimated_by_cold_runs() -> None:
    known = Known(exact={WARM: [Once(AMOUNT, 2.0)], FIRST: [Once(AMOUNT, 30.0)]})
    assert planned(known, warm=False).seconds == 30.0
    assert planned(Known(exact={FIRST: [Once(AMOUNT, 30.0)]})).basis == "scaled"


def test_alike_runs_are_scaled() -> None:
    assert planned(Known(near={WARM: [Once(AMOUNT / 2, 1.0)]})).seconds == 2.0
    line = planned(Known(near={WARM: [Once(AMOUNT / 4, 1.5), Once(AMOUNT / 2, 2.5)]}))
    assert line.seconds == pytest.approx(4.5)
    assert line.basis == "scaled"
    falling = planned(Known(near={WARM: [Once(AMOUNT / 4, 3.0), Once(AMOUNT / 2, 1.0)]}))
    assert falling.seconds == pytest.approx(2.0)


def test_what_is_unknown_is_not_invented() -> None:
    node = planned(Known())
    assert (node.seconds, node.basis) == (None, "")
    assert total([node]) == (None, 1)
    assert total([]) == (0, 0)


def test_the_peak_is_that_of_the_most_demanding_node() -> None:
    signatures = costs(GRAPH, None, "cpu")
    nodes = [PlannedNode(node=id_, class_type="", title="", state="cached" if id_ == "1" else "run") for id_ in "157"]
    peaks = {signatures["1"].shape: 900, signatures["5"].shape: 300, signatures["7"].shape: 200}
    assert peak(nodes, signatures, Known(peaks=peaks)) == 300
    assert peak(nodes, signatures, Known()) is None


def test_memory_depends_on_the_size_and_not_on_the_steps() -> None:
    assert sampler(changed(GRAPH, "5", steps=3)).shape == sampler().shape
    assert sampler(changed(GRAPH, "4", width=64)).shape != sampler().shape


def test_a_chain_of_100_000_nodes_has_costs() -> None:
    chain: Graph = {str(i): node("Echo", text=[str(i + 1), 0], width=2, height=2) for i in range(100_000)}
    assert len(costs(chain, None, "cpu")) == 100_000
