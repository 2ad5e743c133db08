"""Pictures of the kinds that compress differently, made up."""

from collections.abc import Callable

import numpy


def pixels(shape: tuple[int, ...], levels: int = 256) -> numpy.ndarray:
    """Noise."""
    return numpy.random.default_rng(sum(shape)).integers(0, levels, shape, dtype=numpy.uint8)


def cloudy(size: int) -> numpy.ndarray:
    """Noise whose amplitude falls with its frequency, as in photographs."""
    spectrum = numpy.fft.rfft2(numpy.random.default_rng(1).normal(size=(3, size, size)))
    frequency = numpy.hypot(numpy.fft.fftfreq(size)[:, None], numpy.fft.rfftfreq(size)[None])
    frequency[0, 0] = 1
    waves = numpy.fft.irfft2(spectrum / frequency)
    return numpy.clip(128 + 40 * waves / waves.std(), 0, 255).astype(numpy.uint8).transpose(1, 2, 0).copy()


def gradient(size: int) -> numpy.ndarray:
    """A colour in each direction."""
    y, x = numpy.mgrid[0:size, 0:size] * 255 // size
    return numpy.stack([x, y, (x + y) // 2], -1).astype(numpy.uint8)


def decoded(size: int) -> numpy.ndarray:
    """Smooth with a little noise, as what a VAE has decoded from few latents."""
    waves = numpy.sin(numpy.mgrid[0:size] / 40)
    noise = numpy.random.default_rng(2).normal(0, 0.4, (size, size, 3))
    return numpy.clip(128 + 50 * (waves[:, None, None] + waves[None, :, None]) + noise, 0, 255).astype(numpy.uint8)


def enlarged(size: int) -> numpy.ndarray:
    """Each of its pixels sixteen times."""
    return decoded(size // 4).repeat(4, axis=0).repeat(4, axis=1)


def discs(size: int) -> numpy.ndarray:
    """A drawing: areas of one colour with hard edges."""
    drawn = numpy.full((size, size, 3), 255, numpy.uint8)
    random = numpy.random.default_rng(3)
    y, x = numpy.mgrid[0:size, 0:size]
    for _ in range(30):
        (row, column), radius = random.integers(0, size, 2), random.integers(3, max(4, size // 6))
        drawn[numpy.hypot(y - row, x - column) < radius] = random.integers(0, 256, 3)
    return drawn


KINDS: dict[str, Callable[[int], numpy.ndarray]] = {
    "noise": lambda size: pixels((size, size, 3)),
    "photograph": cloudy,
    "decoded": decoded,
    "enlarged": enlarged,
    "drawing": discs,
    "gradient": gradient,
}
"""By name, each of so many pixels square."""
