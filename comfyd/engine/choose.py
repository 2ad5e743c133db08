"""Makes a ComfyUI checkout of the user's own the engine, and gives its interpreter what the worker needs."""

import contextlib
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
    elif found.wanted:
        with contextlib.suppress(EngineNotFound):
            _complete(found, ask)
    record.write(paths, comfyui)
    return engine_at(comfyui, found.path, paths)


def _complete(python: interpreter.Interpreter, ask: Callable[[str], bool]) -> None:
    *others, last = python.wanted
    names = f"{', '.join(others)} and {last}" if others else last
    by_hand = f"{python.path} -m pip install " + " ".join(f"'{package}'" for package in requirements(python.wanted))
    if not ask(f"The worker {'needs' if python.missing else 'is faster with'} {names} in {python.path}. Install?"):
        raise EngineNotFound(f"{python.path} lacks {names}, and nothing was changed; run `{by_hand}`.")
    faster = [name for name in python.wanted if name not in python.missing]
    installed = [
        command.run([*_installer(python), *requirements(part)], Path(python.path.anchor))
        for part in (python.missing, faster)
        if part
    ]
    if interpreter.probe(python.path).missing:
        raise EngineNotFound(f"{names} could not be installed in {python.path}; run `{by_hand}`.", installed[0].tail)


def requirements(names: list[str]) -> list[str]:
    """The named requirements with the ranges that comfyd's own package states."""
    stated = [line.partition(";")[0].strip() for line in requires("comfyd") or ()]
    return [next((line for line in stated if line.startswith(name)), name) for name in names]


def _installer(python: interpreter.Interpreter) -> list[str]:
    if "pip" in python.modules:
        return [str(python.path), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", str(python.path)]
    raise EngineNotFound(f"{python.path} has neither pip nor uv; run `{python.path} -m ensurepip` and try again.")
