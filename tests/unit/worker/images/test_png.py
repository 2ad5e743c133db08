"""Files are read back by Pillow, which knows PNG better than we do."""

import io
import zlib

import numpy
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfyd.worker.images import deflate, filters, formats, png

SHAPES = [(1, 1, 3), (1, 70, 4), (31, 5, 3), (32, 2, 2), (33, 64, 3), (97, 40, 4)]


def pixels(shape: tuple[int, ...], levels: int = 256) -> numpy.ndarray:
    return numpy.random.default_rng(sum(shape)).integers(0, levels, shape, dtype=numpy.uint8)


def cloudy(size: int) -> numpy.ndarray:
    """Noise whose amplitude falls with its frequency, as in photographs."""
    spectrum = numpy.fft.rfft2(numpy.random.default_rng(1).normal(size=(3, size, size)))
    frequency = numpy.hypot(numpy.fft.fftfreq(size)[:, None], numpy.fft.rfftfreq(size)[None])
    frequency[0, 0] = 1
    waves = numpy.fft.irfft2(spectrum / frequency)
    return numpy.clip(128 + 40 * waves / waves.std(), 0, 255).astype(numpy.uint8).transpose(1, 2, 0).copy()


def read(parts: list[bytes]) -> Image.Image:
    return Image.open(io.BytesIO(b"".join(parts)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", range(5))
def test_every_filter_is_undone_to_the_same_pixels(shape: tuple[int, ...], kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "choose", lambda rows, channels: [kind] * -(-rows.shape[0] // filters.BLOCK))
    for levels in (3, 256):
        original = pixels(shape, levels)
        assert (numpy.asarray(read(png.fast(original, None))) == original).all()


@pytest.mark.parametrize("setting", ["fast", "small", "comfyui", "0", "9"])
@pytest.mark.parametrize("shape", SHAPES)
def test_pixels_survive_every_setting(setting: str, shape: tuple[int, ...]) -> None:
    original = pixels(shape)
    assert (numpy.asarray(read(formats.encoder(setting, 4)(original, None))) == original).all()


def test_the_filter_with_the_smallest_residuals_is_chosen() -> None:
    columns = numpy.tile(pixels((1, 60, 3)), (80, 1, 1))
    rows = columns.transpose(1, 0, 2)[:60].copy()
    assert filters.choose(columns.reshape(80, -1), 3)[1] == 2
    assert filters.choose(rows.reshape(60, -1), 3)[1] in (1, 4)


def gradient(size: int) -> numpy.ndarray:
    """A colour in each direction."""
    y, x = numpy.mgrid[0:size, 0:size] * 255 // size
    return numpy.stack([x, y, (x + y) // 2], -1).astype(numpy.uint8)


def decoded(size: int) -> numpy.ndarray:
    """Smooth with a little noise, as what a VAE has decoded from few latents."""
    waves = numpy.sin(numpy.mgrid[0:size] / 40)
    noise = numpy.random.default_rng(2).normal(0, 0.4, (size, size, 3))
    return numpy.clip(128 + 50 * (waves[:, None, None] + waves[None, :, None]) + noise, 0, 255).astype(numpy.uint8)


PICTURES = {
    "photograph": cloudy(256),
    "gradient": gradient(256),
    "one colour": numpy.full((200, 300, 3), 77, numpy.uint8),
    "small": decoded(128),
    "decoded": decoded(384),
    "enlarged": decoded(96).repeat(4, axis=0).repeat(4, axis=1),
    "noise": pixels((200, 200, 3)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_at_most_a_twentieth_larger_than_comfyuis(name: str) -> None:
    picture = PICTURES[name]
    assert (numpy.asarray(read(png.fast(picture, None))) == picture).all()
    own = sum(map(len, formats.encoder("comfyui", 4)(picture, None)))
    assert sum(map(len, png.fast(picture, None))) < own * 1.05


def test_comfyui_means_its_own_bytes() -> None:
    texts = PngInfo()
    texts.add_text("prompt", "{}")
    own = io.BytesIO()
    Image.fromarray(pixels((40, 30, 3))).save(own, "png", pnginfo=texts, compress_level=4)
    assert b"".join(formats.encoder("comfyui", 4)(pixels((40, 30, 3)), texts)) == own.getvalue()


def test_texts_are_those_pillow_writes() -> None:
    texts = PngInfo()
    texts.add_text("prompt", '{"a": "\\u56fe"}')
    texts.add_text("workflow", "x" * 200_000)
    texts.add_text("größe", "über")
    texts.add_text("outside of Latin-1", "图")
    ours, pillow = (make(pixels((9, 9, 3)), texts) for make in (png.fast, formats.encoder("4", 4)))
    assert texts_of(ours) == texts_of(pillow)
    assert list(read(ours).text.items()) == list(read(pillow).text.items())


def texts_of(parts: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Type, and data with checksum, of a file's chunks other than its pixels."""
    data, found, at = b"".join(parts), [], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : end]))
        at = end
    return [chunk for chunk in found if chunk[0] != b"IDAT"]


def test_without_isal_zlib_compresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflate, "fastest", zlib)
    original = pixels((50, 50, 3))
    assert (numpy.asarray(read(png.fast(original, None))) == original).all()


@pytest.mark.parametrize("height", [31, 32, 64, 129, 400])
@pytest.mark.parametrize("setting", ["isal", "zlib"])
def test_strips_make_one_picture(setting: str, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "_STRIPS", 3)
    monkeypatch.setattr(png, "_STRIP_BYTES", 1)
    if setting == "zlib":
        monkeypatch.setattr(deflate, "fastest", zlib)
    original = pixels((height, 40, 4))
    parts = png.fast(original, None)
    assert sum(part[4:] == b"IDAT" for part in parts if len(part) == 8) == 2 + max(1, min(3, height // 32))
    assert (numpy.asarray(read(parts)) == original).all()
