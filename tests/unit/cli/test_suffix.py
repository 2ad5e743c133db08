"""What a name promises and what a graph makes."""

from pathlib import Path
from typing import Any

import pytest
from comfyd_cli.suffix import fitting, kind, makes_only_png

DECODE = {"class_type": "VAEDecode", "inputs": {}}
SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "list": ["a", "b", "c"], "prefix": "x"}}
PREVIEW = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
VIDEO = {"class_type": "SaveVideo", "inputs": {"video": ["1", 0]}}


@pytest.mark.parametrize(
    ("graph", "only_png"),
    [
        ({"1": DECODE, "2": SAVE}, True),
        ({"1": DECODE, "2": SAVE, "3": PREVIEW}, True),
        ({"1": DECODE, "2": SAVE, "3": VIDEO}, False),
        ({"1": DECODE}, False),
        ({}, False),
    ],
)
def test_without_a_catalogue_what_feeds_nothing_is_an_output(graph: dict[str, Any], only_png: bool):
    assert makes_only_png(graph) == only_png


def test_a_catalogue_knows_the_output_nodes():
    combine = {"class_type": "Combine", "inputs": {"images": ["1", 0]}}
    graph = {"1": DECODE, "2": combine, "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}}, "4": DECODE}
    assert makes_only_png(graph, lambda name: name == "SaveImage")
    assert not makes_only_png(graph, lambda name: name in ("SaveImage", "Combine"))
    assert not makes_only_png(graph, lambda name: False)


def test_spellings():
    assert [kind(name) for name in ("a.JPEG", "b.tiff", "c.PnG", "d", ".hidden")] == [".jpg", ".tif", ".png", "", ""]


@pytest.mark.parametrize(
    ("name", "file", "found"),
    [
        ("a.jpg", "x.png", "a.jpg.png"),
        ("a.jpg", "x.JPEG", "a.jpg"),
        ("a", "x.png", "a"),
        ("d/a.1", "x.mp4", "d/a.1.mp4"),
        ("a.png", "x", "a.png"),
    ],
)
def test_a_name_that_does_not_fit_gets_the_suffix(name: str, file: str, found: str):
    assert fitting(Path(name), Path(file)) == Path(found)
