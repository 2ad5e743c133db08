"""What a receipt says, and what follows from it."""

import os
from pathlib import Path

import pytest

from comfyd.receipts import Published, line, published, read, surplus, unchanged

ONE = Published("/out/größe 图_00001_.png", 11, 2000, 1_700_000_000_123_456_789)
TWO = Published("/out/b_00002_.png", 12, 2001, 1_700_000_000_123_456_790)


def test_what_was_written_is_read() -> None:
    assert read(line(ONE) + line(TWO)) == [ONE, TWO]
    assert read(b"") == []


@pytest.mark.parametrize("cut", range(1, len(line(ONE))))
def test_a_line_that_was_cut_off_costs_no_other(cut: int) -> None:
    assert read(line(TWO) + line(ONE)[:cut] + line(TWO)) == [TWO, TWO]


@pytest.mark.parametrize("garbage", [b"\xff\xfe", b"null", b"{}", b'{"path": 1}', b'{"path": "\xff"}', b"\0" * 40])
def test_garbage_names_nothing(garbage: bytes) -> None:
    assert read(b"\n" + garbage + line(ONE)) == [ONE]


def test_a_name_that_is_no_text_cannot_be_written_down() -> None:
    with pytest.raises(UnicodeEncodeError):
        line(Published("/out/\udcff.png", 1, 2, 3))


def test_what_is_no_longer_what_was_published_is_nobodys_business() -> None:
    there = {ONE.path: ONE, TWO.path: Published(TWO.path, 99, TWO.size, TWO.modified)}
    assert unchanged([ONE, TWO, ONE], lambda entry: there.get(entry.path)) == [ONE]
    assert unchanged([ONE, TWO], lambda entry: None) == []


def test_what_an_ended_job_was_told_of_is_its_own() -> None:
    assert surplus([ONE, TWO], {ONE.path, "/out/other.png"}) == [TWO.path]


def test_a_file_is_the_same_after_its_rename_and_another_once_it_is_changed(tmp_path: Path) -> None:
    part, target = tmp_path / "part", tmp_path / "target"
    part.write_text("content")
    before = published(str(target), part.lstat())
    part.replace(target)
    assert published(str(target), target.lstat()) == before
    os.utime(target, ns=(0, before.modified + 1))
    assert published(str(target), target.lstat()) != before
