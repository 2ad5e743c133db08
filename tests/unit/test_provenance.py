"""What a catalogue depends on: which changes are noticed, and which are none."""

import os
from pathlib import Path

import pytest

from comfyd import provenance
from comfyd.provenance import Provenance


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("nodes.py", "comfy/sd.py", "custom_nodes/pack/__init__.py", "models/readme.py", ".git/hook.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def made(tree: Path) -> Provenance:
    packs = str(tree / "custom_nodes")
    return Provenance(
        engine={str(tree): provenance.engine_stamp(str(tree))},
        packs={packs: provenance.stamp(packs)},
        packages=provenance.times([str(tree / "comfy")]),
    )


def touch(file: Path) -> None:
    later = file.stat().st_mtime_ns + 10**9
    os.utime(file, ns=(later, later))


@pytest.mark.parametrize("name", ["nodes.py", "comfy/sd.py", "custom_nodes/pack/__init__.py", "comfy"])
def test_code_that_changes_is_noticed(tree: Path, name: str) -> None:
    before = made(tree)
    assert provenance.holds(before)
    touch(tree / name)
    assert not provenance.holds(before)


@pytest.mark.parametrize("name", ["models/readme.py", ".git/hook.py"])
def test_what_is_no_code_of_the_engine_does_not_count(tree: Path, name: str) -> None:
    before = made(tree)
    touch(tree / name)
    assert provenance.holds(before)


def test_a_new_pack_is_noticed(tree: Path) -> None:
    before = made(tree)
    (tree / "custom_nodes" / "another.py").touch()
    assert not provenance.holds(before)


def test_bytecode_and_settings_of_packs_do_not_count(tree: Path) -> None:
    before = made(tree)
    cache = tree / "custom_nodes" / "pack" / "__pycache__"
    cache.mkdir()
    (cache / "__init__.cpython-311.pyc").touch()
    (tree / "custom_nodes" / "pack" / "settings.ini").touch()
    assert provenance.holds(before)


def test_a_folder_that_is_not_there_has_no_time(tree: Path) -> None:
    assert provenance.times([str(tree / "none")]) == {str(tree / "none"): 0}


def test_each_engine_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = {
        provenance.file(tmp_path, "/one", None, []),
        provenance.file(tmp_path, "/other", None, []),
        provenance.file(tmp_path, "/one", "/usr/bin/python3", []),
        provenance.file(tmp_path, "/one", None, ["--cpu"]),
    }
    assert len(files) == 4
