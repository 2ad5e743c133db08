"""Files come into being whole or not at all, for whoever claims them."""

import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from comfyd.worker.images.deliveries import Deliveries
from comfyd.worker.images.writes import Writes, move


class Held:
    """A file's content that is made once the test says so."""

    def __init__(self, content: bytes = b"content") -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self._content = content

    def __call__(self) -> Iterable[bytes]:
        self.begun.set()
        assert self.go.wait(20)
        return [self._content]


@pytest.fixture
def writes() -> Iterator[Writes]:
    writes = Writes(threads=1, limit=100)
    yield writes
    writes._pool.shutdown()


def test_a_file_is_whole_when_it_has_its_name(writes: Writes, tmp_path: Path) -> None:
    held = Held()
    writes.begin(1, tmp_path / "a.png", tmp_path / "staging" / "1", 10, held)
    assert held.begun.wait(20)
    assert not (tmp_path / "a.png").exists()
    assert writes.targets() == [tmp_path / "a.png"]
    held.go.set()
    writes.wait()
    assert (tmp_path / "a.png").read_bytes() == b"content"
    assert list((tmp_path / "staging").iterdir()) == []


@pytest.mark.parametrize("begun", [True, False])
def test_what_a_cancelled_job_leaves_never_appears(writes: Writes, tmp_path: Path, begun: bool) -> None:
    first, held = Held(), Held()
    if not begun:
        writes.begin(7, tmp_path / "first.png", tmp_path / "0", 10, first)
    writes.begin(1, tmp_path / "a.png", tmp_path / "1", 10, held)
    assert (held if begun else first).begun.wait(20)
    writes.abandon(1)
    first.go.set()
    held.go.set()
    writes.wait()
    assert not (tmp_path / "a.png").exists()
    assert not (tmp_path / "1").exists()
    assert held.begun.is_set() == begun


def test_another_job_that_names_the_file_keeps_it(writes: Writes, tmp_path: Path) -> None:
    held = Held()
    writes.begin(1, tmp_path / "a.png", tmp_path / "1", 10, held)
    assert writes.claim(2, tmp_path / "a.png")
    assert writes.claim(2, tmp_path / "b.png") is None
    writes.abandon(1)
    held.go.set()
    writes.wait(2)
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_an_error_names_the_file_itself(writes: Writes, tmp_path: Path, number: int) -> None:
    def fail() -> Iterable[bytes]:
        yield b"half"
        raise OSError(number, os.strerror(number))

    told: list[str] = []
    deliveries = Deliveries(1, writes, lambda node, files: told.append(node))
    deliveries.begin(tmp_path / "a.png", tmp_path / "1", 10, fail)
    deliveries.add("9", [tmp_path / "a.png"])
    deliveries.wait(lambda: False)
    failure = deliveries.failure()
    assert failure is not None
    assert (failure[1], getattr(failure[0], "filename", None)) == ("9", str(tmp_path / "a.png"))
    assert (told, list(tmp_path.iterdir())) == ([], [])


def test_a_folder_that_cannot_be_written_fails_the_write_only(writes: Writes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    deliveries = Deliveries(1, writes, lambda node, files: None)
    deliveries.begin(tmp_path / "file" / "a.png", tmp_path / "file" / "1", 10, lambda: [b"x"])
    deliveries.add("9", [tmp_path / "file" / "a.png"])
    deliveries.wait(lambda: False)
    assert deliveries.failure() is not None
    writes.begin(2, tmp_path / "b.png", tmp_path / "2", 10, lambda: [b"x"])
    writes.wait()
    assert (tmp_path / "b.png").exists()


def test_a_node_is_told_of_when_all_its_files_are_there(writes: Writes, tmp_path: Path) -> None:
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    held = [Held(), Held()]
    seen: list[list[bool]] = []
    deliveries = Deliveries(1, writes, lambda node, files: seen.append([file.exists() for file in files]))
    for number, file in enumerate(files):
        deliveries.begin(file, tmp_path / str(number), 10, held[number])
    deliveries.add("9", files)
    assert deliveries.pending()
    for one in held:
        assert seen == []
        assert one.begun.wait(20)
        one.go.set()
    deliveries.wait(lambda: False)
    assert seen == [[True, True]]
    assert not deliveries.pending()


def test_a_cached_result_on_its_way_is_waited_for(writes: Writes, tmp_path: Path) -> None:
    held = Held()
    writes.begin(1, tmp_path / "a.png", tmp_path / "1", 10, held)
    told: list[str] = []
    other = Deliveries(2, writes, lambda node, files: told.append(node))
    assert other.available(tmp_path / "a.png")
    assert not other.available(tmp_path / "b.png")
    other.add("9", [tmp_path / "a.png"])
    assert (told, other.pending()) == ([], True)
    held.go.set()
    other.wait(lambda: False)
    assert told == ["9"]


def test_a_wait_ends_with_a_cancel(writes: Writes, tmp_path: Path) -> None:
    held = Held()
    deliveries = Deliveries(1, writes, lambda node, files: None)
    deliveries.begin(tmp_path / "a.png", tmp_path / "1", 10, held)
    assert in_thread(lambda: deliveries.wait(lambda: True))
    held.go.set()


@pytest.mark.parametrize(("size", "name"), [(95, "b.png"), (1, "a.png")], ids=["memory", "name"])
def test_one_more_waits_for_room_and_for_its_name(writes: Writes, tmp_path: Path, size: int, name: str) -> None:
    held = Held(b"first")
    writes.begin(1, tmp_path / "a.png", tmp_path / "1", 10, held)
    done = threading.Event()
    arguments = (1, tmp_path / name, tmp_path / "2", size, lambda: [b"second"])
    threading.Thread(target=lambda: (writes.begin(*arguments), done.set()), daemon=True).start()
    assert held.begun.wait(20)
    assert not done.is_set()
    held.go.set()
    assert done.wait(20)
    writes.wait()
    assert (tmp_path / name).read_bytes() == b"second"


def test_a_file_too_large_for_the_limit_is_still_written(writes: Writes, tmp_path: Path) -> None:
    assert in_thread(lambda: writes.begin(1, tmp_path / "a.png", tmp_path / "1", 1000, lambda: [b"x"]))
    writes.wait()
    assert (tmp_path / "a.png").exists()


def test_another_file_system_gets_a_whole_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "part").write_bytes(b"x")
    replace = Path.replace

    def elsewhere(self: Path, target: Path) -> Path:
        if self.name == "part":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", elsewhere)
    move(tmp_path / "part", tmp_path / "a.png")
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def in_thread(action: Callable[[], object]) -> bool:
    """Whether it comes to an end."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(20)
    return not thread.is_alive()
