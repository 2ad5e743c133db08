"""Makes a ComfyUI checkout of the user's own the engine, and gives its interpreter what the worker needs."""

import shutil
from collections.abc import Callable
from importlib.metadata import requires
from pathlib import Path

from comfyd.config import Paths
from comfyd.errors import EngineNotFound

from . import command, interpreter, record
from .discovery import Engine, checked, engine_at


def use(path: Path, paths: Paths, ask: Callable[[str], bool], python: str | None = None) -> Engine:
    """Choose the checkout at ``path``; ``ask`` is put a yes-or-no question before anything is installed.

    ``python`` is the configured interpreter, if any. Raises EngineNotFound and leaves the choice as it was.
    """
    comfyui = checked(path.expanduser().absolute(), "give the directory that holds ComfyUI's main.py")
    found = interpreter.probe(interpreter.choose(python, comfyui))
    interpreter.check(found, comfyui)
    if found.missing:
        _complete(found, ask)
    record.write(paths, comfyui)
    return engine_at(comfyui, found.path, paths)


def _complete(python: interpreter.Interpreter, ask: Callable[[str], bool]) -> None:
    names = " and ".join(python.missing)
    packages = requirements(python.missing)
    by_hand = f"{python.path} -m pip install " + " ".join(f"'{package}'" for package in packages)
    if not ask(f"The worker needs {names} in {python.path}. Install?"):
        raise EngineNotFound(f"{python.path} lacks {names}, and nothing was changed; run `{by_hand}`.")
    outcome = command.run([*_installer(python), *packages], Path(python.path.anchor))
    if outcome.status or interpreter.probe(python.path).missing:
        raise EngineNotFound(f"{names} could not be installed in {python.path}; run `{by_hand}`.", outcome.tail)


def requirements(names: list[str]) -> list[str]:
    """The named requirements with the ranges that comfyd's own package states."""
    stated = [line for line in requires("comfyd") or () if ";" not in line]
    return [next((line for line in stated if line.startswith(name)), name) for name in names]


def _installer(python: interpreter.Interpreter) -> list[str]:
    if "pip" in python.modules:
        return [str(python.path), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", str(python.path)]
    raise EngineNotFound(f"{python.path} has neither pip nor uv; run `{python.path} -m ensurepip` and try again.")
