"""What an installation gets: every package of the tree, as it is installed from ``pyproject.toml``."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = [file.parent.relative_to(ROOT) for top in ("comfyd", "cli") for file in (ROOT / top).rglob("__init__.py")]
    names = {".".join(["comfyd_cli" if folder.parts[0] == "cli" else "comfyd", *folder.parts[1:]]) for folder in there}
    assert set(listed) == names
