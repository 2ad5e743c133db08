"""The commands on shell completion: completions install, uninstall, show."""

import os
from pathlib import Path

from comfyd.errors import ExitStatus, UsageError
from comfyd.whole import mode_of, put

from .commands import SHELL
from .shells import FILES, SCRIPTS
from .terminal import Terminal

_MARK = "# comfyd completions"
_BASH_COMPLETION = ("/usr/share/bash-completion/bash_completion", "/etc/bash_completion", "/opt/homebrew/etc/bash_completion")


def show(terminal: Terminal, *, shell: str | None) -> int:
    """Print a shell's script."""
    terminal.out(SCRIPTS[_shell(terminal, shell)](SHELL).rstrip("\n"))
    return ExitStatus.DONE


def install(terminal: Terminal, *, shell: str | None) -> int:
    """Put the script where the shell looks for it, and a line into its start file where it has to be told."""
    chosen = _shell(terminal, shell)
    file, start_file, line = _places(terminal, chosen)
    _write(file, SCRIPTS[chosen](SHELL))
    terminal.out(str(file))
    if start_file and line and _MARK not in _text(start_file):
        before = _text(start_file)
        gap = "\n" if before and not before.endswith("\n") else ""
        _write(start_file, f"{before}{gap}{line}  {_MARK}\n")
        terminal.note(f"{start_file} has a new line for it")
    terminal.note(f"open a new {chosen}, or run: exec {chosen}", dim=False)
    return ExitStatus.DONE


def uninstall(terminal: Terminal, *, shell: str | None) -> int:
    """Take both away."""
    chosen = _shell(terminal, shell)
    file, start_file, _ = _places(terminal, chosen)
    if not file.exists():
        raise UsageError(f"There is no {file}; completions for {chosen} are not installed.")
    file.unlink()
    if start_file and _MARK in _text(start_file):
        kept = [line for line in _text(start_file).splitlines(keepends=True) if not line.rstrip().endswith(_MARK)]
        _write(start_file, "".join(kept))
    terminal.out(f"{file} is removed")
    return ExitStatus.DONE


def _shell(terminal: Terminal, given: str | None) -> str:
    """The shell that was named, else the user's own."""
    name = given or Path(terminal.environ.get("SHELL", "")).name
    if name not in SCRIPTS:
        what = f"There are no completions for {name}" if name else "SHELL does not name your shell"
        raise UsageError(f"{what}; give one of {', '.join(SCRIPTS)}.")
    return name


def _places(terminal: Terminal, shell: str) -> tuple[Path, Path | None, str]:
    """The script's file; the shell's start file and the line that has to be in it, if any."""
    env = terminal.environ
    home = Path(env.get("HOME") or Path.home())
    data = Path(env.get("XDG_DATA_HOME") or home / ".local/share")
    if shell == "fish":
        return Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions" / FILES[shell], None, ""
    if shell == "zsh":
        folder = data / "zsh/site-functions"
        line = f"fpath=({_quoted(folder)} $fpath); autoload -Uz compinit && compinit"
        return folder / FILES[shell], Path(env.get("ZDOTDIR") or home) / ".zshrc", line
    file = data / "bash-completion/completions/comfyd"
    if any(map(os.path.exists, _BASH_COMPLETION)):
        return file, None, ""
    return file, home / ".bashrc", f"source {_quoted(file)}"


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""


def _write(file: Path, text: str) -> None:
    """Whole or not at all; a link stays one, and permissions stay as they are."""
    target = file.resolve()
    try:
        put(target, text.encode(errors="surrogateescape"), mode_of(target))
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); check its directory.") from error
