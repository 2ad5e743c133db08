import errno
import subprocess
import sys
import threading
from pathlib import Path, PurePosixPath

import pytest

from comfyd.config import Config
from comfyd.engine import index, install, installation, locate, managed, record
from comfyd.errors import EngineInstallFailed

INSIDE = PurePosixPath("package-1.0/vendor/ComfyUI")
FILES = ("main.py", "nodes.py", "execution.py", "models/configs/v1.yaml")


class Index:
    """A package index with one archive, which counts how often it was asked and lets a test change what it serves."""

    def __init__(self, make_archive):
        self.make_archive = make_archive
        self.downloads = 0
        self.serve("a" * 64)

    def serve(self, sha256, version="0.30.0", files=FILES):
        members = [(f"{INSIDE}/{name}", b"x") for name in files]
        self.archive = self.make_archive(*members, (f"{INSIDE}/comfyui_version.py", f'__version__ = "{version}"'.encode()))
        self.pinned = index.Distribution("package", "1.0", sha256, INSIDE, version)

    def download(self, into, progress):
        self.downloads += 1
        return self.archive


@pytest.fixture
def served(monkeypatch, make_archive):
    offered = Index(make_archive)
    monkeypatch.setattr(index, "download", offered.download)
    monkeypatch.setattr(index, "PINNED", offered.pinned)
    return offered


def leftovers(paths):
    return [child.name for child in managed.root(paths).iterdir() if child.name != ".lock"]


def test_an_installation_is_found_marked_and_furnished(home, paths, served):
    engine = install(paths)
    assert engine.comfyui == managed.root(paths) / f"0.30.0-{'a' * 12}"
    assert (engine.managed, engine.version, engine.python) == (True, "0.30.0", Path(sys.executable))
    marker = managed.read_marker(engine.comfyui)
    assert (marker.version, marker.source, marker.digest) == ("0.30.0", "package 1.0", "a" * 64)
    assert (managed.user_directory(paths) / "models/configs/v1.yaml").is_file()
    assert locate(Config(), paths) == engine
    assert leftovers(paths) == [engine.comfyui.name]


def test_a_second_installation_downloads_nothing(home, paths, served):
    assert install(paths) == install(paths)
    assert served.downloads == 1


def test_an_upgrade_replaces_the_tree_and_leaves_the_users_files(home, paths, served, monkeypatch):
    old = install(paths)
    result = managed.user_directory(paths) / "output" / "picture.png"
    result.write_text("mine")
    served.serve("b" * 64, "0.30.1")
    monkeypatch.setattr(index, "PINNED", served.pinned)
    new = install(paths)
    assert new.version == "0.30.1"
    assert locate(Config(), paths) == new
    assert old.comfyui.is_dir(), "a worker may still be using it"
    assert result.read_text() == "mine"


def test_an_upgrade_that_fails_leaves_the_old_one_in_use(home, paths, served, monkeypatch):
    old = install(paths)
    served.serve("b" * 64, files=FILES[1:])
    monkeypatch.setattr(index, "PINNED", served.pinned)
    with pytest.raises(EngineInstallFailed, match=r"has no main\.py"):
        install(paths)
    assert locate(Config(), paths) == old
    assert leftovers(paths) == [old.comfyui.name]


def test_installing_takes_over_from_another_choice(home, paths, served, tmp_path, make_comfyui):
    record.write(paths, make_comfyui(tmp_path / "mine"))
    engine = install(paths)
    assert locate(Config(), paths) == engine


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_what_the_progress_raises_ends_the_installation_without_a_trace(home, paths, served, interruption):
    def progress(message, fraction):
        raise interruption

    with pytest.raises(interruption):
        install(paths, None, progress)
    assert leftovers(paths) == []
    assert install(paths).managed


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot be installed in")])
def test_storage_errors_say_where_and_what_to_do(home, paths, served, monkeypatch, number, said):
    def fail(*_):
        raise OSError(number, "from the system")

    monkeypatch.setattr(installation.archive, "_write", fail)
    with pytest.raises(EngineInstallFailed, match=f"{said}.*COMFYD_HOME"):
        install(paths)
    assert leftovers(paths) == []


def test_two_installations_at_once_download_once_and_agree(home, paths, served, monkeypatch):
    waiting = threading.Event()
    fetch = served.download

    def fetch_when_the_other_waits(into, progress):
        assert waiting.wait(60)
        return fetch(into, progress)

    def progress(message, fraction):
        if message.startswith("Waiting"):
            waiting.set()

    engines = []
    monkeypatch.setattr(index, "download", fetch_when_the_other_waits)
    threads = [threading.Thread(target=lambda: engines.append(install(paths, None, progress))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engines[0] == engines[1]
    assert served.downloads == 1


@pytest.fixture
def repository(tmp_path, make_comfyui, monkeypatch):
    """A git repository with the tag v0.30.0 and a newer commit on top."""
    for variable in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(variable, "/dev/null")
    directory = make_comfyui(tmp_path / "repository")

    def git(*arguments):
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
        subprocess.run(command, cwd=directory, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    git("tag", "v0.30.0")
    (directory / "comfyui_version.py").write_text('__version__ = "0.31.0"\n')
    git("commit", "-qam", "two")
    return directory


def test_from_git_at_a_tag(home, paths, repository):
    engine = install(paths, f"file://{repository}@v0.30.0")
    marker = managed.read_marker(engine.comfyui)
    assert (engine.managed, engine.version, engine.notice) == (True, "0.30.0", "")
    assert marker.source == f"file://{repository}@v0.30.0"
    assert len(marker.digest) == 40


def test_from_git_at_its_head_with_a_notice(home, paths, repository):
    engine = install(paths, str(repository))
    assert engine.version == "0.31.0"
    assert "0.31.0 was not tried" in engine.notice
    assert install(paths, str(repository)) == engine


@pytest.mark.parametrize("suffix", ["@no-such-tag", "-gone"])
def test_from_git_that_is_not_there(home, paths, repository, suffix):
    with pytest.raises(EngineInstallFailed, match=r"could not be cloned .*check the URL"):
        install(paths, f"file://{repository}{suffix}")
    assert leftovers(paths) == []


def test_without_git(home, paths, repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EngineInstallFailed, match="git is not installed"):
        install(paths, str(repository))
