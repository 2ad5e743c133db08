"""The black box always holds one whole line."""

import json
from pathlib import Path

from comfyd.protocol import BLACKBOX_SIZE
from comfyd.worker.blackbox import BlackBox


def read(path: Path) -> object:
    return json.loads(path.read_bytes().split(b"\n")[0])


def test_names_the_node_and_clears(tmp_path: Path) -> None:
    path = tmp_path / "box"
    box = BlackBox(str(path))
    assert read(path) is None
    box.record(7, "12", "KSampler", "My sampler")
    assert read(path) == {"job": 7, "node": "12", "class_type": "KSampler", "title": "My sampler"}
    box.clear()
    assert read(path) is None
    assert path.stat().st_size == BLACKBOX_SIZE


def test_names_the_pack_that_is_imported(tmp_path: Path) -> None:
    box = BlackBox(str(tmp_path / "box"))
    box.importing("some_pack")
    assert read(tmp_path / "box") == {"pack": "some_pack"}


def test_long_and_strange_titles_fit(tmp_path: Path) -> None:
    path = tmp_path / "box"
    BlackBox(str(path)).record(1, "1" * 9000, "\U0001f600" * 9000, "\n\u2028é\U0001f600" * 9000)
    record = read(path)
    assert isinstance(record, dict)
    assert record["job"] == 1


def test_without_a_path_it_does_nothing() -> None:
    BlackBox(None).record(1, "1", "Class", "title")
