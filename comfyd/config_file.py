"""The configuration file as text: one commented file that names every setting, and where a setting's value comes from."""

import ast
import itertools
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from . import config

_HEAD = """\
# The settings of comfyd. A line that begins with # is not in force; what stands in it is the default.
# An environment variable COMFYD_NAME wins over the line "name = ..." here. comfyd restart puts changes into force.
"""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: what it means, what it is now, and why."""

    name: str
    help: str
    value: Any
    default: Any
    origin: str
    """``default``, the file's path, or the environment variable's name."""


@cache
def meanings() -> dict[str, str]:
    """Setting -> what it means: the docstrings below the fields of ``config.Config``."""
    tree = ast.parse(Path(config.__file__).read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Config")
    return {
        field.target.id: text.value.value
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def settings(now: config.Config, where: config.Paths, env: Mapping[str, str] | None = None) -> list[Setting]:
    """Every setting as it is in force; raises ConfigError where the file cannot be read."""
    env = os.environ if env is None else env
    in_file, default = config.read_file(where.config_file), config.Config()
    return [
        Setting(
            name=name,
            help=text,
            value=getattr(now, name),
            default=getattr(default, name),
            origin=_origin(name, in_file, where.config_file, env),
        )
        for name, text in meanings().items()
    ]


def _origin(name: str, in_file: Mapping[str, object], file: Path, env: Mapping[str, str]) -> str:
    variable = f"COMFYD_{name.upper()}"
    if env.get(variable):
        return variable
    return str(file) if name in in_file else "default"


def completed(text: str) -> str:
    """The file's text with a commented entry for each setting that it does not name yet."""
    default = config.Config()
    named = {line.lstrip("# \t").partition("=")[0].strip() for line in text.splitlines() if "=" in line}
    missing = [_entry(name, text, getattr(default, name)) for name, text in meanings().items() if name not in named]
    return "\n".join([text.rstrip("\n") + "\n" if text.strip() else _HEAD, *missing])


def _entry(name: str, meaning: str, default: Any) -> str:
    return f"# {meaning}\n# {name} = {toml(default)}\n"


def toml(value: Any) -> str:
    """A setting's value as TOML writes it; a setting without a value as the empty text that stands for it."""
    if value is None:
        return '""'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
