"""Local files for the inputs that take files: copied by content under a name, or refused with a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from comfyd_cli import uploads
from comfyd_cli.uploads import name_files, uploaded

from comfyd.errors import FileNotUsable
from comfyd.workflow import Document

from .conftest import Recorded

GRAPH: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
CATALOGUE = Path(__file__).parent.parent / "workflow" / "catalogue.json"


@pytest.fixture
def folder(terminal: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The engine's input folder, the catalogue in place, and the user in a directory of their own."""
    terminal.paths.cache.mkdir(parents=True)
    (terminal.paths.cache / "catalogue-1.json").write_bytes(CATALOGUE.read_bytes())
    folder = tmp_path / "input"
    monkeypatch.setattr(uploads, "_input_folder", lambda terminal, start: folder)
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setenv("HOME", str(tmp_path / "mine"))
    return folder


def upload(terminal: Recorded, *words: str) -> list[tuple[str, str]]:
    given = Document(name="x", api=json.loads(json.dumps(GRAPH)))
    left, pairs = uploaded(terminal, given, words, [], start=False)
    return [*pairs, *zip(left[::2], left[1::2], strict=True)]


@pytest.mark.parametrize("path", ["./cat.png", "cat.png", "~/cat.png", "{here}/cat.png"])
def test_a_file_is_copied_under_a_name_of_its_content(terminal: Recorded, folder: Path, path: str):
    Path("cat.png").write_bytes(b"a cat")
    pairs = upload(terminal, "image", path.format(here=Path.cwd()), "2.filename_prefix", "y")
    assert pairs == [("image", "cat-51e467415607.png"), ("2.filename_prefix", "y")]
    assert (folder / "cat-51e467415607.png").read_bytes() == b"a cat"
    assert [entry.name for entry in folder.iterdir()] == ["cat-51e467415607.png"]
    assert "was copied to the engine's input folder as cat-51e467415607.png" in terminal.err_lines[-1]


def test_the_same_content_is_copied_once(terminal: Recorded, folder: Path):
    Path("cat.png").write_bytes(b"a cat")
    upload(terminal, "image", "./cat.png")
    written = (folder / "cat-51e467415607.png").stat().st_mtime_ns
    upload(terminal, "image", "./cat.png")
    assert (folder / "cat-51e467415607.png").stat().st_mtime_ns == written
    Path("cat.png").write_bytes(b"another")
    assert upload(terminal, "image", "./cat.png") != [("image", "cat-51e467415607.png")]


def test_a_name_of_the_engine_stays_a_name(terminal: Recorded, folder: Path):
    Path("example.png").write_bytes(b"mine")
    assert upload(terminal, "image", "example.png") == [("image", "example.png")]
    assert not folder.exists()


def test_a_file_of_the_input_folder_keeps_its_name(terminal: Recorded, folder: Path):
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "cat.png").write_bytes(b"a cat")
    assert upload(terminal, "image", f"{folder}/sub/cat.png") == [("image", "sub/cat.png")]


def test_a_file_named_in_a_text_is_a_word(terminal: Recorded, folder: Path):
    Path("cat.png").write_bytes(b"a cat")
    assert upload(terminal, "2.filename_prefix", "./cat.png") == [("2.filename_prefix", "./cat.png")]
    assert not folder.exists()


def test_names_are_cleaned(terminal: Recorded, folder: Path):
    Path("a [input]\n\x1b.png").write_bytes(b"a cat")
    assert upload(terminal, "image", "./a [input]\n\x1b.png") == [("image", "a _input___-51e467415607.png")]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("./none.png", "There is no file 'none.png'"),
        (".//", "is a directory"),
        ("/dev/null", "is no regular file"),
        (__file__, "is no picture"),
    ],
)
def test_what_cannot_be_used(terminal: Recorded, folder: Path, path: str, reason: str):
    with pytest.raises(FileNotUsable, match=reason):
        upload(terminal, "image", path)


def test_a_folder_that_takes_nothing(terminal: Recorded, folder: Path):
    Path("cat.png").write_bytes(b"a cat")
    folder.write_text("no folder")
    with pytest.raises(FileNotUsable, match="cannot be copied into the engine's input folder"):
        upload(terminal, "image", "./cat.png")


def test_what_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert not name_files(["a red fox", "7.5", "cat.png", "x" * 5000 + ".png", "nul\0.png", "and/or"])
    assert name_files(["./cat.png"])
    Path("cat.png").touch()
    assert name_files(["cat.png"])
