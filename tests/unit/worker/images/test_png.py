"""Files are read back by Pillow, which knows PNG better than we do."""

import io
import zlib

import numpy
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfyd.worker.images import deflate, filters, formats, png

from .pictures import cloudy, decoded, discs, enlarged, gradient, pixels

SHAPES = [(1, 1, 3), (1, 70, 4), (31, 5, 3), (32, 2, 2), (33, 64, 3), (97, 40, 4)]


def read(parts: list[bytes]) -> Image.Image:
    return Image.open(io.BytesIO(b"".join(parts)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", range(5))
def test_every_filter_is_undone_to_the_same_pixels(shape: tuple[int, ...], kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = filters.choose
    monkeypatch.setattr(png, "choose", lambda pixels: ([kind] * len(choose(pixels)[0]), choose(pixels)[1]))
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
    assert filters.choose(columns)[0][1:] == [2, 2]
    assert filters.choose(rows)[0][1] in (1, 4)


def test_rows_that_repeat_others_say_nothing() -> None:
    assert set(filters.choose(enlarged(512))[0]) == {4}


PICTURES = {
    "photograph": cloudy(256),
    "gradient": gradient(256),
    "one colour": numpy.full((200, 300, 3), 77, numpy.uint8),
    "small": decoded(128),
    "decoded": decoded(384),
    "enlarged": enlarged(384),
    "enlarged and small": enlarged(128),
    "drawing": discs(256),
    "large gradient": gradient(512),
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


@pytest.mark.parametrize("lacking", [("fastest",), ("best",), ("fastest", "best")])
@pytest.mark.parametrize("name", PICTURES)
def test_zlib_compresses_where_others_lack(name: str, lacking: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in lacking:
        monkeypatch.setattr(deflate, module, zlib)
    assert (numpy.asarray(read(png.fast(PICTURES[name], None))) == PICTURES[name]).all()


@pytest.mark.parametrize("lengths", [(0, 1), (1, 0), (70_000, 200_000), (5, 65_521)])
def test_checksums_of_pieces_are_joined(lengths: tuple[int, int]) -> None:
    one, other = (b"\xff" * length for length in lengths)
    assert deflate.joined(zlib.adler32(one), zlib.adler32(other), len(other)) == zlib.adler32(one + other)


@pytest.mark.parametrize("way", [deflate.quick, deflate.codes, deflate.runs, deflate.search])
@pytest.mark.parametrize("height", [31, 32, 64, 129, 400])
@pytest.mark.parametrize("setting", ["others", "zlib"])
def test_strips_make_one_picture(setting: str, height: int, way: deflate.Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "_STRIPS", 3)
    monkeypatch.setattr(png, "_STRIP_BYTES", 1)
    monkeypatch.setattr(deflate, "way", lambda rows, piece: way)
    if setting == "zlib":
        monkeypatch.setattr(deflate, "fastest", zlib)
        monkeypatch.setattr(deflate, "best", zlib)
    original = pixels((height, 40, 4))
    parts = png.fast(original, None)
    assert sum(part[4:] == b"IDAT" for part in parts if len(part) == 8) == 2 + max(1, min(3, height // 32))
    assert (numpy.asarray(read(parts)) == original).all()
