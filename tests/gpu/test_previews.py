"""On a CUDA machine: a preview arrives whole, and nothing waits for it but the thread that is there to wait."""

import os
import sys
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch

from comfyd.protocol import Preview

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def previews() -> Any:
    sys.path.insert(0, os.environ["GPU_COMFYUI"])
    from comfyd.worker import previews

    return previews


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")  # torch says that it does not see everything
def test_previews_arrive_and_synchronise_nothing(previews: Any) -> None:
    from comfy import latent_formats

    arrived: SimpleQueue[Preview] = SimpleQueue()
    latents, job = previews.Latents(arrived.put), SimpleNamespace(id=1, node="5")
    for kind, shape in ((latent_formats.SD15(), (1, 4, 64, 64)), (latent_formats.Flux(), (2, 16, 200, 100))):
        latent = torch.randn(shape, device="cuda")
        expected = previews.colours(latent.cpu(), kind).numpy()
        latents.show(job, kind, latent, (1, 20))  # pins memory, once in the process' life
        arrived.get(timeout=30)
        torch.cuda.set_sync_debug_mode("error")
        try:
            latents.show(job, kind, latent, (2, 20))
        finally:
            torch.cuda.set_sync_debug_mode("default")
        seen = arrived.get(timeout=30)
        assert (seen.value, seen.height, seen.width) == (2, *expected.shape[:2])
        pixels = numpy.frombuffer(seen.data, numpy.uint8).reshape(expected.shape)
        assert abs(pixels.astype(int) - expected.astype(int)).max() <= 1
