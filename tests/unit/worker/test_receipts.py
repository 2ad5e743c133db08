"""What is about to be published is written down before it is there, and nothing depends on whether that works."""

import errno
import logging
import os
from pathlib import Path

import pytest

from comfyd.receipts import published, read
from comfyd.worker.images.writes import Writes, move
from comfyd.worker.receipts import Receipts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "part"
    file.write_text("content")
    return file


def test_every_job_has_a_line_for_every_file(tmp_path: Path, file: Path) -> None:
    receipts = Receipts(tmp_path / "state" / "receipts")
    for name in ("a.png", "b.png"):
        receipts.note([1, 2], file, tmp_path / name)
    expected = [published(str(tmp_path / name), file.stat()) for name in ("a.png", "b.png")]
    for job in ("1", "2"):
        assert read((tmp_path / "state" / "receipts" / job).read_bytes()) == expected


def test_without_a_folder_none_are_written(tmp_path: Path, file: Path) -> None:
    Receipts().note([1], file, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["a.png", "\udcff.png"])
def test_one_that_cannot_be_written_is_one_warning(
    tmp_path: Path, file: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "receipts"
    if name == "a.png":
        folder.write_text("in the way")
    receipts = Receipts(folder)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            receipts.note([1], file, tmp_path / name)
    (record,) = caplog.records
    assert f"cannot be noted in {folder}" in record.getMessage()


def test_a_file_is_noted_before_it_is_there_for_all_who_claim_it(tmp_path: Path) -> None:
    writes, target = Writes(threads=1), tmp_path / "a.png"
    seen: list[tuple[list[int], bool]] = []

    class Watching(Receipts):
        def note(self, jobs: object, file: object, target: Path) -> None:
            seen.append((sorted(jobs), target.exists()))  # type: ignore[call-overload]

    writes.receipts = Watching()
    with writes.changed:  # until both have claimed it
        writes.begin(1, target, tmp_path / "part", 10, lambda: [b"content"])
        assert writes.claim(2, target)
    writes.wait()
    assert (seen, target.read_bytes()) == ([([1, 2], False)], b"content")
    writes._pool.shutdown()


def test_a_file_that_goes_to_another_file_system_is_noted_as_its_copy(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, target, receipts = Path.replace, tmp_path / "target", Receipts(tmp_path / "receipts")

    def replace(self: Path, to: Path) -> Path:
        if self == file:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return original(self, to)

    monkeypatch.setattr(Path, "replace", replace)
    move(file, target, lambda that: receipts.note([1], that, target))
    assert target.read_text() == "content"
    assert read((tmp_path / "receipts" / "1").read_bytes())[-1] == published(str(target), target.stat())
    assert not file.exists()
