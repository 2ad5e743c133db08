"""Where the combinations stand on a contact sheet, and the sheet and page drawn from it."""

import itertools
from pathlib import Path
from typing import Any

from comfyd_cli.sweep.grids import grids
from comfyd_cli.sweep.page import write
from comfyd_cli.sweep.points import Point, points
from comfyd_cli.sweep.sheet import draw
from PIL import Image

from comfyd.workflow.sweep.axes import Axis


def made(**values: list[Any]) -> list[Point]:
    axes = [Axis(name, (("5", name),), tuple(each)) for name, each in values.items()]
    return points(axes, list(itertools.product(*values.values())), range(len(axes)), "")


def test_columns_and_rows_are_what_varies_most() -> None:
    first, second = grids(made(seed=[1, 2, 3], sampler=["euler", "heun"], cfg=[4, 6, 8, 9]))
    assert first.columns == ["cfg 4", "cfg 6", "cfg 8", "cfg 9"]
    assert first.rows == ["seed 1", "seed 2", "seed 3"]
    assert (first.title, second.title) == ("sampler euler", "sampler heun")
    corner = first.cells[2][3]
    assert corner is not None
    assert corner.values == {"seed": 3, "sampler": "euler", "cfg": 9}


def test_long_texts_stand_at_the_side() -> None:
    (grid,) = grids(made(prompt=["a text that is much too long for a column", "b", "c"], seed=[1, 2]))
    assert grid.columns == ["seed 1", "seed 2"]


def test_one_parameter_and_pairs_have_captions() -> None:
    (grid,) = grids(made(seed=list(range(5))))
    assert (grid.captioned, [len(row) for row in grid.cells]) == (True, [5])
    (grid,) = grids(made(seed=list(range(20))))
    assert [len(row) for row in grid.cells] == [5, 5, 5, 5]
    (grid,) = grids(made(seed=[1, 2], cfg=[3])[:2], paired=True)
    assert grid.captioned
    assert grids([]) == []


def test_a_sheet_shows_each_picture_in_its_place(tmp_path: Path) -> None:
    swept = made(seed=[1, 2], cfg=[4, 6, 8])
    pictures = {}
    for point in swept[:-1]:
        pictures[point.key] = tmp_path / f"{point.stem}.png"
        colour = (40 * point.values["cfg"] // 2, 100 * point.values["seed"], 0)
        Image.new("RGB", (200, 100), colour).save(pictures[point.key])
    pictures[swept[-1].key] = tmp_path / "gone.png"
    draw(grids(swept), pictures, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        found = sheet.convert("RGB")
        colours = dict((colour, count) for count, colour in found.getcolors(1 << 20) or [])
    for cfg, seed in ((4, 1), (6, 1), (8, 1), (4, 2), (6, 2)):
        assert colours[40 * cfg // 2, 100 * seed, 0] == 200 * 100
    assert found.getpixel((found.width - 20, found.height - 20)) == (0xE8, 0xE8, 0xE8)
    assert found.width < 3 * 220 + 200


def test_large_pictures_and_many_make_a_sheet_that_opens(tmp_path: Path) -> None:
    swept = made(seed=list(range(40)), cfg=list(range(1, 31)))
    file = tmp_path / "large.png"
    Image.new("RGB", (2048, 1024)).save(file)
    draw(grids(swept), {swept[0].key: file}, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert max(sheet.size) <= 12_000


def test_a_page_escapes_what_it_shows(tmp_path: Path) -> None:
    swept = made(prompt=["<script>alert(1)</script>", 'a "fox" & co'], seed=[1, 2])
    files = {point.key: [f"{point.stem}#%.png"] for point in swept}
    write(grids(swept), files, "a <b> sweep", {"negative": "<i>"}, "4 of 4", tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert "<script>" not in page
    assert "<i>" not in page
    assert "a &lt;b&gt; sweep" in page
    assert "%23%25.png" in page
    assert page.count("<img ") == 4
    assert "http" not in page
