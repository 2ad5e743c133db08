"""What the doctor says of set-ups that are broken in one way each, and of one that is not."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from comfyd import config, doctor
from comfyd.doctor import Finding, device, examine, storage
from comfyd.doctor.setup import Setup
from comfyd.engine import interpreter
from comfyd.inuse import InUse
from comfyd.protocol import CATALOGUE_FORMAT, PackInfo
from comfyd.provenance import Provenance


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    """What passes for a ComfyUI."""
    folder = tmp_path / "ComfyUI"
    (folder / "models").mkdir(parents=True)
    for name in ("main.py", "nodes.py", "execution.py"):
        (folder / name).touch()
    (folder / "comfyui_version.py").write_text('__version__ = "0.30.0"\n')
    return folder


@pytest.fixture
def paths(tmp_path: Path) -> config.Paths:
    found = config.paths({"COMFYD_HOME": str(tmp_path / "home")})
    for folder in (found.data, found.state, found.cache):
        folder.mkdir(parents=True)
    return found


@pytest.fixture
def settings(comfyui: Path) -> config.Config:
    return config.Config(comfyui=str(comfyui), python=sys.executable)


def by_name(settings: config.Config, paths: config.Paths) -> dict[str, Finding]:
    """Findings of everything but the device, for which torch is imported."""
    setup = Setup(settings, paths)
    looks = [look for look in doctor._EXAMINATIONS if look is not device.examine]
    return {finding.name: finding for look in looks for finding in look(setup)}


def leave_catalogue(paths: config.Paths, settings: config.Config, made_of: Provenance) -> None:
    """As the engine's last start would."""
    file = paths.cache / "catalogue-1.json"
    file.write_bytes(msgspec.json.encode({"format": CATALOGUE_FORMAT, "comfyui": "0.30.0", "made_of": made_of, "nodes": {}}))
    (paths.cache / InUse.FILE).write_bytes(InUse.of(file, settings).encode())


def test_a_good_set_up_has_no_problem(settings: config.Config, paths: config.Paths, comfyui: Path) -> None:
    (comfyui / "models" / "a.safetensors").touch()
    extra = comfyui.parent / "more models"
    extra.mkdir()
    (extra / "b.ckpt").touch()
    leave_catalogue(
        paths,
        settings,
        Provenance(report=[PackInfo(name="pack", seconds=0.5)], folders={str(extra): 0, str(comfyui / "models"): 0}),
    )
    found = by_name(settings, paths)
    assert {name: finding.state for name, finding in found.items() if finding.state == "problem"} == {}
    assert "pack 0.50 s" in found["nodes"].text
    assert found["models"].text == f"2 model files in {comfyui / 'models'} and 1 folder elsewhere"
    assert "torch 2." in found["worker"].text


def test_an_interpreter_without_torch(settings: config.Config, paths: config.Paths, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    bare = msgspec.structs.replace(settings, python=str(tmp_path / "bare/bin/python"))
    finding = by_name(bare, paths)["comfyui"]
    assert (finding.state, "has no PyTorch" in finding.text) == ("problem", True)
    assert "pip install" in finding.fix


def test_a_directory_that_is_no_comfyui(settings: config.Config, paths: config.Paths, comfyui: Path) -> None:
    (comfyui / "main.py").unlink()
    finding = by_name(settings, paths)["comfyui"]
    assert (finding.state, "it has no main.py" in finding.text) == ("problem", True)


def test_a_comfyui_that_was_not_tried(settings: config.Config, paths: config.Paths, comfyui: Path) -> None:
    (comfyui / "comfyui_version.py").write_text('__version__ = "9.1.0"\n')
    finding = by_name(settings, paths)["comfyui"]
    assert (finding.state, "9.1.0" in finding.text) == ("warning", True)


@pytest.mark.parametrize("how", ["dangling", "file", "gone"])
def test_models_that_cannot_be_read(how: str, settings: config.Config, paths: config.Paths, comfyui: Path) -> None:
    models = comfyui / "models"
    models.rmdir()
    if how == "dangling":
        models.symlink_to(comfyui / "unmounted")
    if how == "file":
        models.touch()
    finding = by_name(settings, paths)["models"]
    assert (finding.state, str(models) in finding.text) == ("problem", True)


def test_model_files_behind_links(settings: config.Config, paths: config.Paths, comfyui: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.safetensors").touch()
    (comfyui / "models" / "loras").symlink_to(elsewhere)
    (elsewhere / "round").symlink_to(comfyui / "models")
    lost = comfyui / "models" / "lost.safetensors"
    lost.symlink_to(tmp_path / "unmounted")
    leave_catalogue(paths, settings, Provenance(folders={str(tmp_path / "not yet"): 0}))
    findings = storage.examine_models(Setup(settings, paths))
    assert [(finding.state, finding.text.split(" in ")[0]) for finding in findings] == [
        ("warning", f"{lost} cannot be read"),
        ("ok", "1 model file"),
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    mount = shutil.which("mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [str(mount), "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not mount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(settings: config.Config, small_disk: Path) -> None:
    found = list(storage.examine_disks(Setup(settings, config.paths({"COMFYD_HOME": str(small_disk)}))))
    assert found[0].state == "problem"
    assert "1 MiB free for data and state and cache" in found[0].text


def test_a_full_disk_below_comfyui(paths: config.Paths, comfyui: Path, small_disk: Path) -> None:
    elsewhere = small_disk / "ComfyUI"
    shutil.copytree(comfyui, elsewhere)
    found = list(storage.examine_disks(Setup(config.Config(comfyui=str(elsewhere), python=sys.executable), paths)))
    assert found[1].state == "problem"
    assert f"free for ComfyUI ({elsewhere})" in found[1].text


def test_a_pack_that_failed_to_import(settings: config.Config, paths: config.Paths) -> None:
    report = [PackInfo(name="good", seconds=3.0), PackInfo(name="bad", seconds=0.1, error="No module named 'cv2'")]
    leave_catalogue(paths, settings, Provenance(report=report))
    found = by_name(settings, paths)
    assert (found["pack bad"].state, "cv2" in found["pack bad"].text) == ("problem", True)
    assert "good 3.0 s" in found["nodes"].text


@pytest.mark.parametrize("writable", [True, False])
def test_a_journal_that_cannot_be_written(
    writable: bool, settings: config.Config, paths: config.Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(paths.journal) as database:
        database.execute("CREATE TABLE job (id INTEGER)")
    database.close()
    monkeypatch.setattr(os, "access", lambda file, mode: writable or file != paths.journal)  # root may write everywhere
    assert by_name(settings, paths)["journal"].state == ("ok" if writable else "problem")


def test_a_damaged_journal(settings: config.Config, paths: config.Paths) -> None:
    with sqlite3.connect(paths.journal) as database:
        database.execute("CREATE TABLE job (id)")
        database.executemany("INSERT INTO job VALUES (?)", [("x" * 500,)] * 100)
    database.close()
    assert by_name(settings, paths)["journal"].text.startswith("100 jobs")
    whole = paths.journal.read_bytes()
    paths.journal.write_bytes(whole[:8192] + os.urandom(8192) + whole[16384:])
    finding = by_name(settings, paths)["journal"]
    assert (finding.state, "damaged" in finding.text) == ("problem", True)


@pytest.mark.parametrize(
    ("facts", "driver", "state", "words"),
    [
        ({"cuda": "13.0", "devices": [["H100", 80 * 2**30]]}, "580.1", "ok", "CUDA 13.0"),
        ({"cuda": None}, "580.1", "warning", "but the machine has an NVIDIA GPU"),
        ({"cuda": "13.0", "said": ["The NVIDIA driver is too old"]}, "470.1", "warning", "too old"),
        ({"cuda": "13.0"}, None, "ok", "CUDA 13.0"),
    ],
)
def test_torch_against_the_driver(facts: dict[str, object], driver: str | None, state: str, words: str) -> None:
    known = {"torch": "2.14.1", "cuda": None, "hip": None, "devices": [], "mps": False, "said": []} | facts
    finding = next(iter(device._judged(known, driver)))
    assert (finding.name, finding.state, words in finding.text) == ("torch", state, True)


def test_a_device_without_free_memory_is_no_broken_torch() -> None:
    known = {"torch": "2.14.1", "cuda": "13.0", "hip": None, "devices": [["H100", 80 * 2**30]], "mps": False, "said": []}
    assert [(one.name, one.state) for one in device._judged(known | {"full": True}, "580.1")] == [
        ("torch", "ok"),
        ("device", "ok"),
        ("memory", "warning"),
    ]


def test_torch_that_cannot_be_imported(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'ImportError: libcudart.so.13 is missing' >&2\nexit 1\n")
    broken.chmod(0o755)
    assert device._ask(broken) == "torch cannot be imported or used: ImportError: libcudart.so.13 is missing"


def test_the_interpreter_is_asked_once(settings: config.Config, paths: config.Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def probe(python: Path) -> interpreter.Interpreter:
        asked.append(python)
        return interpreter.Interpreter(python, (3, 12), "2.14.1", frozenset(interpreter.WORKER_MODULES))

    monkeypatch.setattr(interpreter, "probe", probe)
    assert by_name(settings, paths)["models"].state == "ok"
    assert asked == [Path(sys.executable)]


def test_findings_are_json(settings: config.Config, paths: config.Paths) -> None:
    assert json.loads(msgspec.json.encode(list(examine(settings, paths))))[0]["name"] == "comfyd"
