"""ComfyUI checkouts, interpreters and archives that are just real enough to be found, asked and unpacked."""

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from comfyd.config import Paths
from comfyd.config import paths as paths_of

ENTRY_POINTS = ("main.py", "nodes.py", "execution.py")
ALL_MODULES = ("zmq", "msgspec", "isal", "zlib_ng", "pip")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory, with the working directory elsewhere."""
    directory = tmp_path / "home"
    elsewhere = tmp_path / "elsewhere"
    directory.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.chdir(elsewhere)
    return directory


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_of({"COMFYD_HOME": str(tmp_path / "comfyd")})


@pytest.fixture
def make_comfyui() -> Callable[..., Path]:
    def make(directory: Path, version: str = "0.30.0") -> Path:
        directory.mkdir(parents=True)
        for name in ENTRY_POINTS:
            (directory / name).write_text("raise SystemExit('imported')\n")
        (directory / "comfyui_version.py").write_text(f'# generated\n__version__ = "{version}"\n')
        return directory

    return make


@pytest.fixture
def make_python() -> Callable[..., Path]:
    """A program that answers the probe; `pip install` in it makes every module present."""

    def make(path: Path, version: tuple[int, int] = (3, 11), torch: str = "2.14.1", modules: Iterable[str] = ALL_MODULES) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        answer, complete = (
            json.dumps({"version": version, "torch": torch, "modules": list(names)}) for names in (modules, ALL_MODULES)
        )
        path.write_text(
            "#!/bin/sh\n"
            f'if [ "$1" = -m ]; then echo "$@" >> "{path}.pip"; exit; fi\n'
            f"if [ -e \"{path}.pip\" ]; then echo '{complete}'; else echo '{answer}'; fi\n"
        )
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    """A gzipped tar file of (name, content) or ready TarInfo members."""

    def make(*members: tuple[str, bytes] | tarfile.TarInfo) -> Path:
        archive = tmp_path / "source.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            for member in members:
                info, content = (member, b"") if isinstance(member, tarfile.TarInfo) else (tarfile.TarInfo(member[0]), member[1])
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return archive

    return make
