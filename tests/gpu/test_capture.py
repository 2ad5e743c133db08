"""On a CUDA machine: captures that succeed, and captures that fail and must leave allocator and generator as they were."""

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def capturing() -> Any:
    sys.path.insert(0, os.environ["GPU_COMFYUI"])
    from comfyd.worker.graphs.capture import Cuda

    return Cuda(torch.device("cuda", 0))


def layers(tensors: list[torch.Tensor]) -> dict[str, Any]:
    x, weight = tensors
    return {"out": [torch.nn.functional.linear(x, weight).relu() @ weight, None]}


def inputs() -> list[torch.Tensor]:
    return [torch.randn(64, 64, device="cuda"), torch.randn(64, 64, device="cuda")]


def equal(capturing: Any, function: Callable[[list[torch.Tensor]], Any], given: list[torch.Tensor]) -> bool:
    graph = capturing.capture(function, inputs())
    right = bool(torch.equal(graph.replay(given)["out"][0], function(given)["out"][0]))
    graph.close()
    return right


def test_replay_gives_eagers_bits_on_other_inputs_and_from_ram(capturing: Any) -> None:
    with torch.inference_mode():
        assert equal(capturing, layers, inputs())
        x, weight = inputs()
        graph = capturing.capture(layers, [x, weight])
        assert torch.equal(graph.replay([x.cpu(), weight])["out"][0], layers([x, weight])["out"][0])
        graph.close()


def test_results_are_the_callers_own(capturing: Any) -> None:
    with torch.inference_mode():
        graph = capturing.capture(layers, inputs())
        first, second = inputs(), inputs()
        one = graph.replay(first)["out"][0]
        kept = one.clone()
        graph.replay(second)
        assert torch.equal(one, kept)
        graph.close()


def reads_back(tensors: list[torch.Tensor]) -> torch.Tensor:
    return tensors[0] * float(tensors[0].sum().item())


def raises(tensors: list[torch.Tensor]) -> torch.Tensor:
    torch.relu(tensors[0])
    raise ValueError("midway")


def too_large(tensors: list[torch.Tensor]) -> torch.Tensor:
    return torch.empty(1 << 42, device="cuda")


@pytest.mark.parametrize("function", [reads_back, raises, too_large])
def test_a_capture_that_fails_leaves_everything_usable(capturing: Any, function: Callable[[Any], Any]) -> None:
    with torch.inference_mode():
        with pytest.raises((RuntimeError, ValueError)):
            capturing.capture(function, inputs())
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.manual_seed(5)
        torch.randn(8, device="cuda")
        torch.cuda.set_rng_state(torch.cuda.get_rng_state())
        assert equal(capturing, layers, inputs())


def draws(tensors: list[torch.Tensor]) -> torch.Tensor:
    return tensors[0] + torch.rand_like(tensors[0])


def from_ram(tensors: list[torch.Tensor]) -> torch.Tensor:
    return tensors[0] + torch.arange(64).to(tensors[0].device, non_blocking=True)


@pytest.mark.parametrize(("function", "reason"), [(reads_back, "reads a value back"), (draws, "random"), (from_ram, "from RAM")])
def test_the_audit_refuses_what_a_graph_would_freeze(capturing: Any, function: Callable[[Any], Any], reason: str) -> None:
    from comfyd.worker.graphs.calls import Refused

    given = inputs()
    before = torch.cuda.get_rng_state()
    with torch.inference_mode(), pytest.raises(Refused, match=reason):
        capturing.audit(function, given, compiled=False)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_memory_comes_back_when_all_graphs_are_closed(capturing: Any) -> None:
    def big(tensors: list[torch.Tensor]) -> torch.Tensor:
        return tensors[0].sum() + torch.ones(1 << 26, device="cuda").cumsum(0)[-1]

    with torch.inference_mode():
        torch.cuda.empty_cache()
        before = torch.cuda.memory_reserved()
        graph = capturing.capture(big, inputs())
        assert graph.size >= 1 << 28
        assert torch.cuda.memory_reserved() > before
        graph.close()
        capturing.release()
        assert torch.cuda.memory_reserved() <= before + (64 << 20)
