"""What norms.cu rests on: which tensors it takes, and a division without dividing that rounds as a division does."""

import numpy
import pytest
import torch

from comfyd.worker.graphs.norms import can_add, can_norm, source


def quotients(delta: numpy.ndarray, n: numpy.ndarray) -> numpy.ndarray:
    """As the kernel computes them; in 64 bits the sum cannot come to lie between two floats, since no quotient does."""
    high = (1 / n).astype(numpy.float32)
    low = (1 / n - high).astype(numpy.float32)
    return (delta.astype(numpy.float64) * high + delta * low).astype(numpy.float32)


def differing(delta: numpy.ndarray, n: numpy.ndarray) -> int:
    return int((quotients(delta, n).view(numpy.int32) != (delta / n.astype(numpy.float32)).view(numpy.int32)).sum())


COUNTS = numpy.arange(1, 70001, dtype=numpy.float64)


@pytest.mark.parametrize("seed", range(3))
def test_quotients_of_all_counts_are_those_of_a_division(seed: int) -> None:
    random = numpy.random.default_rng(seed)
    n = numpy.tile(COUNTS, 20)
    delta = random.standard_normal(n.size).astype(numpy.float32)
    assert differing(delta, n) == 0
    scale = numpy.exp2(random.integers(-66, 126, n.size)).astype(numpy.float32)
    kept = (abs(delta * scale) >= 1e-20) & (abs(delta * scale) < 3e38)
    assert differing((delta * scale)[kept], n[kept]) == 0


def test_quotients_next_to_the_middle_of_two_floats_are_those_of_a_division() -> None:
    random = numpy.random.default_rng(0)
    n = numpy.tile(COUNTS, 20)
    middle = random.integers(1 << 24, 1 << 25, n.size) | 1
    delta = (middle * n).astype(numpy.float32)
    for near in (delta, numpy.nextafter(delta, numpy.float32(0)), numpy.nextafter(delta, numpy.float32(numpy.inf))):
        assert differing(near, n) == 0


def channels(count: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.zeros(count, dtype=dtype)


@pytest.mark.parametrize("shape", [(2, 320, 8, 8), (1, 320, 26, 38), (1, 320, 65, 8), (1, 320, 4, 16, 16), (1, 64, 1024)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_takes_planes_that_begin_and_end_aligned(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    weight = channels(shape[1], dtype)
    assert can_norm(torch.zeros(shape, dtype=dtype), 32, weight, weight)
    assert can_norm(torch.zeros(shape, dtype=dtype), 32, torch.nn.Parameter(weight), torch.nn.Parameter(weight))
    assert can_add(torch.zeros(shape, dtype=dtype), weight)


LEFT = {
    "a group of few elements": torch.zeros(1, 320, 7, 7),
    "single values": torch.zeros(1, 32768, 1, 1),
    "tiny planes": torch.zeros(1, 32768, 1, 2),
    "rows that end within a pack": torch.zeros(1, 32, 25, 25),
    "channels last": torch.zeros(1, 320, 16, 16).to(memory_format=torch.channels_last),
    "a part of a tensor": torch.zeros(1, 320, 16, 20)[..., :16],
    "begins within a pack": torch.zeros(320 * 256 + 1)[1:].view(1, 320, 16, 16),
    "too exact": torch.zeros(1, 320, 16, 16, dtype=torch.float64),
    "nothing": torch.zeros(0, 320, 16, 16),
    "no planes": torch.zeros(512, 320),
}


@pytest.mark.parametrize("what", LEFT)
def test_leaves_the_rest_to_torch(what: str) -> None:
    x = LEFT[what]
    weight = channels(x.shape[1], x.dtype)
    assert not can_norm(x, 32, weight, weight)


def test_needs_a_weight_and_a_bias_of_the_same_type() -> None:
    x, weight = torch.zeros(1, 320, 16, 16, dtype=torch.float16), channels(320, torch.float16)
    assert can_norm(x, 32, weight, weight)
    for other in (None, channels(320), channels(319, torch.float16), channels(640, torch.float16)[::2]):
        assert not can_norm(x, 32, weight, other)
        assert not can_norm(x, 32, other, weight)
        assert not can_add(x, other)


def test_the_kernels_come_with_the_package() -> None:
    assert all(f"OF_TYPE({name})" in source() for name in ("Half, float16", "Brain, bfloat16", "Single, float32"))
