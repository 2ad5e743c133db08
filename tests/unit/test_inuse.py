"""Clients read the catalogue of the engine in use, not whichever was written last."""

import os
from pathlib import Path

from comfyd.config import Config
from comfyd.inuse import InUse, catalogue_in_use


def write(file: Path, time: int) -> Path:
    file.write_text("{}")
    os.utime(file, (time, time))
    return file


def test_the_one_in_use_is_read_though_another_is_newer(tmp_path: Path) -> None:
    used = write(tmp_path / "catalogue-a.json", 1000)
    write(tmp_path / "catalogue-b.json", 2000)
    (tmp_path / InUse.FILE).write_bytes(InUse.of(used, Config()).encode())
    assert catalogue_in_use(tmp_path) == used
    assert catalogue_in_use(tmp_path, Config()) == used


def test_another_engine_s_is_none(tmp_path: Path) -> None:
    used = write(tmp_path / "catalogue-a.json", 1000)
    (tmp_path / InUse.FILE).write_bytes(InUse.of(used, Config(comfyui="/one")).encode())
    assert catalogue_in_use(tmp_path, Config(comfyui="/other")) is None
    used.unlink()
    assert catalogue_in_use(tmp_path) is None


def test_without_a_note_the_newest_is_taken(tmp_path: Path) -> None:
    assert catalogue_in_use(tmp_path) is None
    write(tmp_path / "catalogue-a.json", 1000)
    newer = write(tmp_path / "catalogue-b.json", 2000)
    assert catalogue_in_use(tmp_path) == newer


def test_what_is_in_use_is_told_with_the_settings_that_led_there(tmp_path: Path) -> None:
    settings = Config(comfyui="/one")
    (tmp_path / InUse.FILE).write_bytes(InUse.of(tmp_path / "catalogue-1.json", settings).encode())
    noted = InUse.read(tmp_path)
    assert noted is not None
    assert noted.catalogue == "catalogue-1.json"
    assert noted.suits(settings)
    assert not noted.suits(Config(comfyui="/other"))
    (tmp_path / InUse.FILE).write_text("{")
    assert InUse.read(tmp_path) is None
