"""Finds the ComfyUI and the interpreter that the worker is to use; writes nothing.

In this order: the setting ``comfyui``, what `comfyd engine use` or `install` chose, the usual places of the home
directory, the managed tree. Never the working directory: custom nodes are code.
"""

from dataclasses import dataclass
from pathlib import Path

from comfyd.config import Config, Paths
from comfyd.errors import EngineNotFound, EngineNotInstalled

from . import interpreter, managed, record
from .checkout import is_comfyui, missing_files, read_version, support_notice

USUAL_PLACES = (
    "ComfyUI",
    "comfyui",
    "comfy/ComfyUI",
    "Documents/ComfyUI",
    "ComfyUI_windows_portable/ComfyUI",
    "StabilityMatrix/Packages/ComfyUI",
)
"""Below the home directory: a clone's own name, comfy-cli's workspace, the desktop app's, the portable package's."""


@dataclass(frozen=True)
class Engine:
    """A ComfyUI and the interpreter that runs it."""

    comfyui: Path
    python: Path
    managed: bool
    version: str
    args: tuple[str, ...] = ()
    """ComfyUI's arguments for this engine; the user's own come after them."""
    notice: str = ""
    """A sentence where the version was not tried with this comfyd."""


def locate(config: Config, paths: Paths) -> Engine:
    """The engine to use. Raises EngineNotInstalled where installing the managed one would help, else EngineNotFound."""
    comfyui, python = find(config, paths)
    return engine_at(comfyui, python.path, paths)


def find(config: Config, paths: Paths) -> tuple[Path, interpreter.Interpreter]:
    """The ComfyUI to use and an interpreter that can run it; raises as `locate` does."""
    comfyui = find_comfyui(config, paths)
    if comfyui is None:
        interpreter.check(interpreter.probe(interpreter.choose(config.python, None)), None)
        raise EngineNotInstalled("No ComfyUI was found; run `comfyd engine install`, or `comfyd engine use PATH` for yours.")
    python = interpreter.probe(interpreter.choose(config.python, comfyui))
    interpreter.check(python, comfyui)
    if python.missing:
        names = " and ".join(python.missing)
        raise EngineNotFound(f"{python.path} lacks {names}; `comfyd engine use {comfyui}` installs what the worker needs.")
    return comfyui, python


def engine_at(comfyui: Path, python: Path, paths: Paths) -> Engine:
    """The engine made of a checkout and an interpreter."""
    ours = managed.is_managed(comfyui, paths)
    version = read_version(comfyui)
    args = managed.arguments(paths) if ours else ()
    return Engine(comfyui, python, ours, version, args, support_notice(version))


def find_comfyui(config: Config, paths: Paths) -> Path | None:
    """The ComfyUI to use, or None; raises EngineNotFound when the one that was chosen cannot be."""
    return _configured(config) or _recorded(paths) or _at_home() or next(iter(managed.trees(paths)), None)


def checked(path: Path, fix: str) -> Path:
    """The path, if it is a ComfyUI; else EngineNotFound with the fix."""
    if not path.is_dir():
        raise EngineNotFound(f"There is no directory {path}; {fix}.")
    if missing := missing_files(path):
        inner = next((child for child in (path / "ComfyUI", path.parent) if is_comfyui(child)), None)
        hint = f"did you mean {inner}?" if inner else f"{fix}."
        raise EngineNotFound(f"{path} is not a ComfyUI checkout (it has no {missing[0]}); {hint}")
    return path


def _configured(config: Config) -> Path | None:
    if not config.comfyui:
        return None
    path = Path(config.comfyui).expanduser()
    fix = "correct `comfyui` in config.toml, COMFYD_COMFYUI or --comfyui"
    if not path.is_absolute():
        raise EngineNotFound(f"ComfyUI is given by the relative path {path}, which depends on where comfyd runs; {fix}.")
    return checked(path, fix)


def _recorded(paths: Paths) -> Path | None:
    path = record.read(paths)
    if path is None or (path.parent == managed.root(paths) and not is_comfyui(path)):
        return None
    return checked(path, "choose again with `comfyd engine use PATH` or `comfyd engine install`")


def _at_home() -> Path | None:
    return next((place for name in USUAL_PLACES if is_comfyui(place := Path.home() / name)), None)
