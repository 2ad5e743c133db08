"""The demo checkpoint: the same bytes everywhere, all of it or nothing."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

numpy = pytest.importorskip("numpy")

from comfyd.demo import checkpoint, container, layout, text_encoder  # noqa: E402
from comfyd.errors import DiskFull  # noqa: E402


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / checkpoint.NAME
    checkpoint.write(path)
    return path


def test_the_file_is_the_same_on_every_machine(written: Path):
    with written.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == checkpoint.SHA256


def test_what_ships_is_small():
    assert checkpoint.WEIGHTS.stat().st_size <= 25_000_000


def test_the_file_holds_the_sd3_layout(written: Path):
    tensors = container.read(written)
    expected = {layout.TRANSFORMER + name: shape for name, shape in layout.transformer()}
    expected |= {layout.AUTOENCODER + name: shape for name, shape in layout.autoencoder()}
    expected |= {name: shape for name, shape, _ in text_encoder.parts()}
    assert {name: tensor.shape for name, tensor in tensors.items()} == expected
    assert all(tensor.dtype == numpy.float16 and numpy.isfinite(tensor).all() for tensor in tensors.values())


def test_the_file_takes_no_space_for_zeros(written: Path):
    assert written.stat().st_size > 250_000_000
    assert written.stat().st_blocks * 512 < 150_000_000


def test_a_complete_file_of_this_version_is_current(written: Path, tmp_path: Path):
    assert checkpoint.is_current(written)
    assert not checkpoint.is_current(tmp_path / "missing")


def _as_if(path: Path, content: bytes, size: int) -> Path:
    path.write_bytes(content)
    os.truncate(path, size)
    return path


def test_anything_else_is_not_current(written: Path, tmp_path: Path):
    size = written.stat().st_size
    with written.open("rb") as file:
        start = file.read(100_000)
    assert checkpoint.is_current(_as_if(tmp_path / "complete", start, size))
    assert not checkpoint.is_current(_as_if(tmp_path / "truncated", start, size - 1))
    assert not checkpoint.is_current(_as_if(tmp_path / "half a header", start, 1000))
    assert not checkpoint.is_current(_as_if(tmp_path / "empty", b"", 0))
    assert not checkpoint.is_current(_as_if(tmp_path / "something else", b"PK" * 500, size))
    version = f'"comfyd_demo":"{checkpoint.VERSION}"'.encode()
    assert version in start
    other = start.replace(version, b'"comfyd_demo":"' + b"?" * len(checkpoint.VERSION) + b'"')
    assert not checkpoint.is_current(_as_if(tmp_path / "another version", other, size))


def _full_disk(after: int):
    """A pwrite that stops half way through, then fails as a full disk does."""
    written, real = 0, os.pwrite

    def pwrite(file: int, data: memoryview, offset: int) -> int:
        nonlocal written
        if written >= after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = real(file, data[: after - written], offset)
        written += count
        return count

    return pwrite


@pytest.mark.parametrize("after", [0, 100_000])
def test_a_full_disk_is_named_and_leaves_nothing_behind(after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / checkpoint.NAME
    path.write_text("what was there before")
    monkeypatch.setattr(os, "pwrite", _full_disk(after))
    with pytest.raises(DiskFull, match="free 130 MB"):
        checkpoint.write(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [checkpoint.NAME]
    assert path.read_text() == "what was there before"


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "pwrite", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(tmp_path / checkpoint.NAME)
    assert not list(tmp_path.iterdir())
