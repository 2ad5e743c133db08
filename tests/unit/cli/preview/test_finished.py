"""The pictures that a job has made, on a terminal that is emulated."""

from pathlib import Path

import pyte
import pytest
from comfyd_cli.preview import finished
from comfyd_cli.preview.screen import Screen
from PIL import Image

from . import decoders
from .test_kinds import of


def picture(folder: Path, name: str, colour: str, size: tuple[int, int] = (64, 64)) -> str:
    file = folder / name
    Image.new("RGB", size, colour).save(file)
    return str(file)


def columns(screen: pyte.Screen, colour: str, row: int = 0) -> list[int]:
    """Where a row of the screen is of this colour."""
    return [column for column in range(screen.columns) if screen.buffer[row][column].fg == colour]


def test_a_batch_is_a_row(tmp_path: Path):
    terminal = of(tmp_path, COMFYD_PREVIEW="blocks", COLORTERM="truecolor")
    files = [picture(tmp_path, "a.png", "#ff0000"), picture(tmp_path, "b.webp", "#00ff00"), picture(tmp_path, "c.png", "#0000ff")]
    finished.show(terminal, files)
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(terminal.said.getvalue().replace("\n", "\r\n"))
    assert columns(screen, "ff0000") == list(range(16))
    assert columns(screen, "0000ff", 7) == list(range(36, 52))
    assert screen.cursor.y == 8


def test_of_many_those_that_fit_are_shown_small(tmp_path: Path):
    terminal = of(tmp_path, COMFYD_PREVIEW="blocks", COLORTERM="truecolor")
    finished.show(terminal, [picture(tmp_path, f"{number}.png", "#ff0000") for number in range(20)])
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(terminal.said.getvalue().replace("\n", "\r\n"))
    assert screen.cursor.y == 4
    assert len(columns(screen, "ff0000")) == 64


@pytest.mark.parametrize("kind", ["kitty", "iterm2", "sixel", "blocks"])
def test_what_is_no_picture_is_left_out(tmp_path: Path, kind: str):
    terminal = of(tmp_path, COMFYD_PREVIEW=kind)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n not really")
    sound = tmp_path / "sound.flac"
    sound.write_bytes(b"fLaC")
    finished.show(terminal, [str(broken), str(sound), str(tmp_path / "gone.png")])
    assert terminal.said.getvalue() == ""


def test_a_small_png_goes_to_kitty_as_it_is(tmp_path: Path):
    terminal = of(tmp_path, COMFYD_PREVIEW="kitty")
    file = picture(tmp_path, "a.png", "#ff0000")
    finished.show(terminal, [file])
    said = terminal.said.getvalue()
    assert said.startswith((" " * 16 + "\n") * 8 + "\x1b7\r\x1b[8A\x1b_G")
    keys, image = decoders.kitty(said[said.index("\x1b_G") : -len("\x1b8")])
    assert (keys["c"], keys["r"], image.size) == ("16", "8", (64, 64))


def test_sixels_stay_within_their_cells(tmp_path: Path):
    screen = Screen("sixel", of(tmp_path).said, {})
    file = Path(picture(tmp_path, "a.png", "#ff0000", (640, 480)))
    cells = screen.box(640, 480, screen.room(live=False))
    drawn = screen.file(file, cells)
    assert drawn is not None
    image = decoders.sixel(drawn.over)
    width, height = screen.cell
    assert image.height % 6 == 0
    assert image.height <= cells.rows * height
    assert image.width <= cells.columns * width
    assert image.getpixel((5, 5)) == (255, 0, 0)
