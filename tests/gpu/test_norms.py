"""On a CUDA machine: GroupNorm and biases by the kernels of norms.cu have the bits of torch's own, alone and within a capture."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.nn import functional

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(120)]
TYPES = [torch.float16, torch.bfloat16, torch.float32]
SHAPES = [
    (1, 512, 64, 64),
    (1, 256, 256, 256),
    (1, 128, 512, 512),
    (2, 320, 64, 64),
    (2, 1280, 8, 8),
    (2, 2560, 8, 8),
    (1, 1920, 26, 38),
    (1, 320, 65, 72),
    (3, 320, 8, 12),
    (1, 64, 12, 20, 36),
    (2, 320, 1024),
]


@pytest.fixture(scope="module")
def proof() -> Any:
    sys.path.insert(0, os.environ["GPU_COMFYUI"])
    from comfyd.worker.graphs.proof import Proof

    made = Proof(torch.device("cuda"))
    made.functions()
    assert made._norms is not None, made._binary
    return made


def data(shape: tuple[int, ...]) -> Iterator[tuple[str, torch.Tensor]]:
    normal = torch.randn(shape, device="cuda")
    yield "normal", normal
    yield "far from zero", normal * 3 - 100
    yield "nearly constant", normal * 0.01 + 5
    yield "zeros", torch.zeros_like(normal)
    yield "constant", torch.full_like(normal, 1.7)
    yield "tiny", normal * 1e-25
    yield "below the smallest normal float", normal * 1e-40
    yield "partly tiny", torch.where(normal > 0, normal * 1e-22, normal * 1e-7)
    yield "huge", normal * 1e30
    yield "overflowing", normal * 1.5e38
    yield "all scales", normal * torch.exp2(torch.randint(-70, 60, shape, device="cuda").float())
    yield "whole numbers", torch.randint(-3, 4, shape, device="cuda").float()
    yield "rising", torch.arange(normal.numel(), device="cuda").float().view(shape) * 1e-3
    for value in (float("inf"), float("nan"), -0.0):
        few = normal.clone()
        few.view(-1)[5::7919] = value
        yield f"some {value}", few


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().view(torch.int16 if tensor.element_size() == 2 else torch.int32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
@torch.inference_mode()
def test_bits_are_torchs(proof: Any, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    weight, bias = torch.randn(2, shape[1], device="cuda").to(dtype)
    for name, values in data(shape):
        x = values.to(dtype)
        for eps in (1e-5, 1e-6):
            normed = functional.group_norm(x, 32, weight, bias, eps)
            mine = proof._norms.moments(x, 32)
            y, activated, added = torch.empty_like(x), torch.empty_like(x), x.clone()
            proof._norms.normalise(x, mine, (32, weight, bias, eps), y, activated)
            proof._norms.add(added, bias)
            assert torch.equal(bits(y), bits(normed)), name
            assert torch.equal(bits(activated), bits(functional.silu(normed))), name
            assert torch.equal(bits(added), bits(x + bias.view(1, -1, *[1] * (x.dim() - 2)))), name


@pytest.mark.parametrize("groups", [1, 8, 64])
@torch.inference_mode()
def test_bits_are_torchs_for_other_numbers_of_groups(proof: Any, groups: int) -> None:
    for dtype in TYPES:
        x = torch.randn(3, 128, 40, 40, device="cuda").to(dtype)
        weight, bias = torch.randn(2, 128, device="cuda").to(dtype)
        with proof.functions():
            y = functional.group_norm(x, groups, weight, bias)
        assert torch.equal(bits(y), bits(functional.group_norm(x, groups, weight, bias)))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@torch.inference_mode()
def test_a_capture_has_eagers_bits(dtype: torch.dtype, proof: Any) -> None:
    from comfyd.worker.graphs.capture import Cuda

    norm = [torch.nn.GroupNorm(32, 64), torch.nn.SiLU(), torch.nn.Conv2d(64, 64, 3, padding=1)]
    layers = torch.nn.Sequential(*norm, torch.nn.GroupNorm(32, 64), torch.nn.SiLU(inplace=True), torch.nn.Conv2d(64, 8, 1))
    layers.to("cuda", dtype)
    for one in layers.parameters():
        one.copy_(torch.randn_like(one) * 0.2 + 0.1)
    capturing = Cuda(torch.device("cuda", 0))
    inputs = [[torch.randn(2, 64, 48, 40, device="cuda").to(dtype)] for _ in range(3)]
    layers(inputs[0][0])  # as before every capture: cuDNN makes its choices
    graph = capturing.capture(lambda tensors: layers(tensors[0]), inputs[0])
    for given in inputs:
        assert torch.equal(bits(graph.replay(given)), bits(layers(given[0])))
    graph.close()


def test_what_fails_leaves_torchs_own(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, proof: Any) -> None:
    from comfyd.worker.graphs import proof as module

    monkeypatch.setattr(module, "source", lambda: "no CUDA")
    with caplog.at_level("INFO"):
        made = module.Proof(torch.device("cuda"))
        made.functions()
    assert made._norms is None
    assert "GroupNorm in graphs stays torch's own: nvrtcCompileProgram" in caplog.text


def test_other_bits_leave_torchs_own(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, proof: Any) -> None:
    from comfyd.worker.graphs import proof as module
    from comfyd.worker.graphs.norms import source

    changed = source().replace(
        "__fsub_rn(T::read(bias[channel]), __fmul_rn(a[side], mean))", "__fmaf_rn(-a[side], mean, T::read(bias[channel]))"
    )
    assert changed != source()
    monkeypatch.setattr(module, "source", lambda: changed)
    with caplog.at_level("INFO"):
        made = module.Proof(torch.device("cuda"))
        made.functions()
    assert made._norms is None
    assert "its bits differ from torch's" in caplog.text
