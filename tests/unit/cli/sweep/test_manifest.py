"""The record of what is done, which one command at a time holds."""

from pathlib import Path

import pytest
from comfyd_cli.sweep.manifest import Made, Manifest

from comfyd.errors import OutputNotWritable


def test_what_is_done_is_known_again_while_its_files_are_there(tmp_path: Path) -> None:
    with Manifest(tmp_path / "new" / "deep") as manifest:
        assert not manifest.directory.exists()
        manifest.begin()
        manifest.handed_in("k", 7)
        assert manifest.job("k") == 7
        (manifest.directory / "a.png").touch()
        manifest.finished("k", Made(["a.png"], 7, 0.5))
    with Manifest(tmp_path / "new" / "deep") as manifest:
        assert manifest.done("k") == Made(["a.png"], 7, 0.5)
        assert manifest.job("k") is None
        (manifest.directory / "a.png").unlink()
        assert manifest.done("k") is None
        assert manifest.done("other") is None


def test_a_command_draws_once(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        assert manifest.drawn("c", {"seed": [1]}) == {"seed": [1]}
        manifest.begin()
    with Manifest(tmp_path) as manifest:
        assert manifest.drawn("c", {"seed": [2]}) == {"seed": [1]}
        assert manifest.drawn("d", {"seed": [2]}) == {"seed": [2]}


def test_a_sheet_is_renewed_by_what_shows_no_less(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        sheet, page = manifest.sheets("ab")
        assert (sheet.name, page.name) == ("sheet.png", "index.html")
        sheet.touch()
        assert [file.name for file in manifest.sheets("xy")] == ["sheet~2.png", "index~2.html"]
    with Manifest(tmp_path) as manifest:
        assert manifest.sheets("ba") == (sheet, page)
        assert manifest.sheets("abc") == (sheet, page)
        assert manifest.sheets("ab")[0].name == "sheet~3.png"
        assert manifest.sheets("xy")[0].name == "sheet~2.png"
        assert manifest.sheets("abc") == (sheet, page)


def test_a_sheet_that_nothing_is_written_of_stays(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    with Manifest(tmp_path) as manifest:
        assert manifest.sheets("ab")[0].name == "sheet~2.png"


def test_a_sheet_from_before_such_records_is_renewed_by_its_own_sweep(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"comfyd_sweep":1,"done":{"a":{"files":["a.png"],"job":1,"seconds":1.0}}}')
    (tmp_path / "sheet.png").touch()
    with Manifest(tmp_path) as manifest:
        assert manifest.sheets("x")[0].name == "sheet~2.png"
        assert manifest.sheets("ab")[0].name == "sheet.png"


def test_another_command_is_kept_out(tmp_path: Path) -> None:
    with Manifest(tmp_path), pytest.raises(OutputNotWritable, match="Another sweep"), Manifest(tmp_path):
        pass
    with Manifest(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"comfyd_sweep": 1, "done": 3}'])
def test_a_strange_record_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(OutputNotWritable, match="is no record of a sweep"), Manifest(tmp_path):
        pass
    assert (tmp_path / "sweep.json").read_text() == content
    (tmp_path / "sweep.json").unlink()
    with Manifest(tmp_path):
        pass


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputNotWritable), Manifest(tmp_path / "file") as manifest:
        manifest.begin()
