"""What a sampler is making is seen by who asks, and by nobody else; the picture is the same."""

import numpy
from PIL import Image

from comfyd.protocol import FromWorker, Preview, PreviewOrder

from .graphs import SAMPLER, changed, demo
from .test_sampling import _unload_everything, picture
from .worker import WorkerProcess, done

LONG = demo("red apple", (128, 128), steps=60)


def run(worker: WorkerProcess, seed: int, *, wanted: bool) -> tuple[list[FromWorker], numpy.ndarray]:
    """All messages of the job, and its picture."""
    job = worker.submit(changed(LONG, SAMPLER, seed=seed))
    if wanted:
        worker.send(PreviewOrder(job=job, wanted=True))
    seen = worker.events([job])
    return seen, picture(done(seen[-1]))


def previews(messages: list[FromWorker]) -> list[Preview]:
    return [message for message in messages if isinstance(message, Preview)]


def alike(preview: Preview, picture: numpy.ndarray) -> float:
    """How far the two, at the preview's size, are the same: 1 wholly, 0 not at all."""
    size = (preview.width, preview.height)
    small = numpy.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), float)
    seen = numpy.frombuffer(preview.data, numpy.uint8).reshape(small.shape)
    return float(numpy.corrcoef(small.ravel(), seen.ravel())[0, 1])


def test_a_preview_resembles_the_picture_which_stays_the_same(worker: WorkerProcess) -> None:
    unseen, before = run(worker, 71, wanted=False)
    assert previews(unseen) == []
    run(worker, 72, wanted=False)  # lets nothing but the seed's own result come from the cache
    worker.send(_unload_everything())
    seen, after = run(worker, 71, wanted=True)
    found = previews(seen)
    assert found
    assert numpy.array_equal(before, after)
    assert {(one.node, one.max, one.format) for one in found} == {(SAMPLER, 60, "rgb8")}
    assert all(len(one.data) == one.width * one.height * 3 for one in found)
    assert alike(found[-1], after) > 0.6
