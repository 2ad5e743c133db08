"""A file that is written is there whole or not at all, with the permissions that it is to have."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from comfyd.whole import copy, mode_of, publish, put


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The permissions that any new file gets."""
    file = tmp_path_factory.mktemp("usual") / "file"
    file.touch()
    return mode(file)


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError):
        publish(target, lambda stream: stream.write(b"half") / 0)
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert target.read_text() == "before"


def test_nobody_sees_a_part_of_it(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("before")
    seen: list[str] = []

    def fill(stream: IO[bytes]) -> None:
        stream.write(b"after")
        stream.flush()
        seen.append(target.read_text())

    publish(target, fill, lasting=True)
    assert [*seen, target.read_text()] == ["before", "after"]


@pytest.mark.parametrize("asked", [0o600, 0o644, 0o755])
def test_permissions_are_those_asked_for(asked: int, tmp_path: Path) -> None:
    put(tmp_path / "file", b"", asked)
    assert mode(tmp_path / "file") == mode_of(tmp_path / "file") == asked


def test_else_those_of_any_new_file(tmp_path: Path, usual: int) -> None:
    assert mode_of(tmp_path / "file") is None
    put(tmp_path / "file", b"", mode_of(tmp_path / "file"))
    assert mode(tmp_path / "file") == usual


def test_put_makes_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b" / "file", b"content")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"content"


def test_a_copy_has_the_content_and_not_the_permissions(tmp_path: Path, usual: int) -> None:
    put(tmp_path / "source", b"content", 0o755)
    copy(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"content"
    assert mode(tmp_path / "target") == usual


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    put(tmp_path / ("x" * os.pathconf(tmp_path, "PC_NAME_MAX")), b"content")


@pytest.mark.parametrize("write", [lambda file: put(file, b""), lambda file: copy(file.parent / "source", file)])
def test_where_it_cannot_be_written(write: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write(tmp_path / "folder")
    assert {file.name for file in tmp_path.iterdir()} == {"source", "folder"}
