"""The commands on the configuration: config show, config path, config edit."""

import shlex
import shutil
import subprocess
from pathlib import Path

from comfyd import config
from comfyd.config_file import completed, settings, toml
from comfyd.errors import ConfigError, ExitStatus, UsageError
from comfyd.whole import put

from .terminal import Terminal

_EDITORS = ("sensible-editor", "nano", "vim", "vi")


def show(terminal: Terminal, *, json: bool) -> int:
    """Print every setting as it is in force, and where it was set."""
    found = settings(terminal.config, terminal.paths, terminal.environ)
    if json:
        terminal.json({"type": "Config", "file": str(terminal.paths.config_file), "settings": found})
        return ExitStatus.DONE
    lines = [f"{setting.name} = {toml(setting.value)}" for setting in found]
    width = max(map(len, lines))
    for line, setting in zip(lines, found, strict=True):
        terminal.out(line if setting.origin == "default" else f"{line:{width}}  # {setting.origin}")
    return ExitStatus.DONE


def path(terminal: Terminal) -> int:
    """Print where the configuration file is, or would be."""
    terminal.out(str(terminal.paths.config_file))
    return ExitStatus.DONE


def edit(terminal: Terminal) -> int:
    """Open the file, with every setting named in it, in the user's editor; what the editor leaves is checked."""
    if not terminal.stdin.isatty():
        raise UsageError(f"config edit needs a terminal; edit {terminal.paths.config_file} by other means.")
    file = terminal.paths.config_file
    command = _editor(terminal)
    before = _prepared(file)
    if subprocess.run([*command, str(file)], check=False).returncode:
        raise UsageError(f"{command[0]} failed; {file} is as it left it.")
    if _text(file) == before:
        terminal.note("Nothing was changed.")
        return ExitStatus.DONE
    config.load(terminal.paths, terminal.environ)
    terminal.note(f"{file} is in order; comfyd restart puts it into force.", dim=False)
    return ExitStatus.DONE


def _prepared(file: Path) -> str:
    """The file's text, once every setting is named in it."""
    old = _text(file)
    new = completed(old)
    if new != old:
        _write(file, new)
    return new


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read ({error}); correct it or remove it.") from error


def _write(file: Path, text: str) -> None:
    """Whole or not at all; a link stays one."""
    try:
        put(file.resolve(), text.encode())
    except OSError as error:
        raise ConfigError(f"{file} cannot be written ({error.strerror}); check its directory.") from error


def _editor(terminal: Terminal) -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if text := terminal.environ.get(variable, "").strip():
            return _command(variable, text)
    for name in _EDITORS:
        if shutil.which(name):
            return [name]
    raise UsageError("No editor was found; set EDITOR to the one you use, such as EDITOR=nano.")


def _command(variable: str, text: str) -> list[str]:
    """What the variable says is to be run, where that can be run."""
    try:
        command = shlex.split(text)
    except ValueError:
        command = [text]
    if not shutil.which(command[0]):
        raise UsageError(f"{variable} names '{command[0]}', which cannot be run; set it to the editor you use, such as nano.")
    return command
