"""The arithmetic is that of ComfyUI's own save nodes, in every float type, whatever the values."""

import numpy
import pytest
import torch

from comfyd.worker.images.pixels import convertible, eight_bit

EDGES = [float("nan"), float("inf"), float("-inf"), -0.0, -1e-30, 1e-30, 1.0, 1.0000001, 0.9999999, 256.5, -3.0, 65504.0]


def upstream(image: torch.Tensor) -> numpy.ndarray:
    """nodes.py: SaveImage.save_images."""
    with numpy.errstate(invalid="ignore", over="ignore"):
        return numpy.clip(255.0 * image.cpu().numpy(), 0, 255).astype(numpy.uint8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_bits_of_the_originals(dtype: torch.dtype) -> None:
    thresholds = torch.arange(0, 257, dtype=torch.float64) / 255
    near = torch.cat([thresholds, thresholds.nextafter(torch.tensor(2.0)), thresholds.nextafter(torch.tensor(-2.0))])
    near32 = thresholds.float().nextafter(torch.tensor(2.0)).double()
    values = torch.cat([near, near32, torch.tensor(EDGES, dtype=torch.float64), torch.randn(3000, dtype=torch.float64)])
    image = values[: len(values) // 12 * 12].reshape(4, -1, 3).to(dtype)
    assert (eight_bit(image)() == upstream(image)).all()


def test_what_lies_strided_in_memory() -> None:
    mask = torch.rand(2, 1, 7, 5).movedim(1, -1).expand(-1, -1, -1, 3)
    pixels = eight_bit(mask[1])()
    assert pixels.flags.c_contiguous
    assert (pixels == upstream(mask[1])).all()


def test_pixels_are_those_of_the_moment() -> None:
    image = torch.full((2, 2, 3), 0.5)
    pixels = eight_bit(image)
    image.zero_()
    assert (pixels() == 127).all()


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(1, 4, 4, 1),
        torch.zeros(1, 4, 4, 5),
        torch.zeros(4, 4, 3),
        torch.zeros(0, 4, 4, 3),
        torch.zeros(1, 0, 4, 3),
        torch.zeros(1, 4, 4, 3, dtype=torch.bfloat16),
        torch.zeros(1, 4, 4, 3, dtype=torch.uint8),
        [torch.zeros(4, 4, 3)],
    ],
)
def test_what_the_originals_treat_otherwise_is_left_to_them(images: object) -> None:
    assert not convertible(images)
