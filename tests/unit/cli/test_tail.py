"""The end of a growing file."""

from pathlib import Path

import pytest
from comfyd_cli import tail


def test_the_last_lines(tmp_path: Path):
    file = tmp_path / "log"
    file.write_bytes(b"".join(b"line %d\n" % number for number in range(20000)))
    lines, end = tail.last(file, 3)
    assert lines == ["line 19997", "line 19998", "line 19999"]
    assert end == file.stat().st_size
    assert len(tail.last(file, 100000)[0]) == 20000
    assert tail.last(tmp_path / "none", 3) == ([], 0)


def test_what_is_added_comes_in_whole_lines_also_after_a_replacement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "log"
    file.write_text("old\nhalf")
    steps = iter([lambda: file.write_text("old\nhalf and half\n"), lambda: file.write_text("new\n")])
    monkeypatch.setattr(tail.time, "sleep", lambda seconds: next(steps)())
    lines = tail.added(file, 4)
    assert [next(lines), next(lines)] == ["half and half", "new"]
