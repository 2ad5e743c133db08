"""What each encoder makes, decoded again."""

import random

import pyte
import pytest
from comfyd_cli.preview import blocks, iterm2, kitty, sixel
from comfyd_cli.preview.pixels import Pixels, png
from comfyd_cli.preview.room import Cells
from PIL import Image, ImageChops

from . import decoders

CELLS = Cells(6, 3)


def few_colours(width: int, height: int) -> Pixels:
    """Patches of a few colours, all of which survive a palette."""
    colours = [(0, 0, 0), (255, 255, 255), (204, 0, 0), (0, 153, 51), (51, 102, 255)]
    chance = random.Random(width)
    return Pixels(width, height, b"".join(bytes(chance.choice(colours)) for _ in range(width * height)))


def noise(width: int, height: int) -> Pixels:
    return Pixels(width, height, random.Random(1).randbytes(3 * width * height))


def same(image: Image.Image, pixels: Pixels, within: int = 0) -> bool:
    difference = ImageChops.difference(image.convert("RGB"), pixels.image())
    return image.size == (pixels.width, pixels.height) and max(high for _, high in difference.getextrema()) <= within


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (64, 64)])
def test_a_png_of_ours_is_one(size: tuple[int, int]):
    pixels = noise(*size)
    _, image = decoders.kitty(kitty.of_file(png(pixels), CELLS, 0))
    assert image.format == "PNG"
    assert same(image, pixels)


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (128, 128)])
def test_kitty_gets_the_pixels_in_chunks(size: tuple[int, int]):
    keys, image = decoders.kitty(kitty.of_pixels(noise(*size), CELLS, 7))
    assert same(image, noise(*size))
    assert (keys["a"], keys["c"], keys["r"], keys["i"], keys["C"], keys["q"]) == ("T", "6", "3", "7", "1", "2")


def test_a_picture_that_stays_has_no_number_by_which_another_could_replace_it():
    keys, _ = decoders.kitty(kitty.of_file(png(noise(2, 2)), CELLS, 0))
    assert "i" not in keys


def test_iterm2_gets_the_file():
    arguments, image = decoders.iterm2(iterm2.encoded(png(noise(9, 4)), CELLS))
    assert same(image, noise(9, 4))
    assert (arguments["inline"], arguments["width"], arguments["height"]) == ("1", "6", "3")


@pytest.mark.parametrize("size", [(1, 1), (7, 6), (50, 13), (64, 64)])
def test_sixels_of_few_colours_are_the_picture(size: tuple[int, int]):
    assert same(decoders.sixel(sixel.encoded(few_colours(*size))), few_colours(*size), within=3)


def test_sixels_of_many_colours_are_about_the_picture():
    gradient = Pixels(64, 64, bytes(value for y in range(64) for x in range(64) for value in (x * 4, y * 4, 128)))
    assert same(decoders.sixel(sixel.encoded(gradient)), gradient, within=40)


def shown(rows: list[str], cells: Cells) -> Image.Image:
    """What a terminal shows, two pixels in a cell."""
    screen = pyte.Screen(cells.columns + 1, cells.rows)
    pyte.Stream(screen).feed("\r\n".join(rows))
    image = Image.new("RGB", (cells.columns, 2 * cells.rows))
    for row in range(cells.rows):
        for column in range(cells.columns):
            cell = screen.buffer[row][column]
            assert cell.data == "▀"
            image.putpixel((column, 2 * row), tuple(bytes.fromhex(cell.fg)))
            image.putpixel((column, 2 * row + 1), tuple(bytes.fromhex(cell.bg)))
        assert screen.buffer[row][cells.columns].bg == "default"
    return image


def test_half_blocks_are_the_picture():
    pixels = few_colours(CELLS.columns, 2 * CELLS.rows)
    assert same(shown(blocks.rows(pixels, CELLS, direct=True), CELLS), pixels)


def test_half_blocks_of_256_colours_are_near_it():
    pixels = noise(CELLS.columns, 2 * CELLS.rows)
    rows = blocks.rows(pixels, CELLS, direct=False)
    assert ";2;" not in "".join(rows)
    assert same(shown(rows, CELLS), pixels, within=48)


def test_a_colour_that_goes_on_is_said_once():
    grey = Pixels(6, 6, bytes([90]) * 108)
    assert all(row.count("38;2") == row.count("48;2") == 1 for row in blocks.rows(grey, CELLS, direct=True))
