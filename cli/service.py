"""The commands on the service: service install, service uninstall, service print."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from comfyd import service
from comfyd.client import stop_daemon
from comfyd.errors import ExitStatus, UsageError
from comfyd.whole import put

from .terminal import Terminal

_LAUNCHD = sys.platform == "darwin"


def print_(terminal: Terminal) -> int:
    """Print the unit that install would write."""
    terminal.out(_text(terminal).rstrip("\n"))
    return ExitStatus.DONE


def install(terminal: Terminal) -> int:
    """Write the unit, and hand the daemon over to the service manager, now and at every login."""
    _require_manager()
    file = _file(terminal)
    _write(file, _text(terminal))
    if stop_daemon(terminal.config, terminal.paths, now=False):
        terminal.note("The daemon that ran is stopped; the service takes its place.")
    if _LAUNCHD:
        _call("launchctl", "bootstrap", f"gui/{os.getuid()}", str(file))
    else:
        _call("systemctl", "--user", "daemon-reload")
        _call("systemctl", "--user", "enable", service.UNIT)
        _call("systemctl", "--user", "restart", service.UNIT)
        terminal.note("It runs while you are logged in; loginctl enable-linger keeps it running without you.")
    terminal.out(f"comfyd is a service: {file}")
    return ExitStatus.DONE


def uninstall(terminal: Terminal) -> int:
    """Stop the service once its running jobs have ended, and remove its unit."""
    file = _file(terminal)
    if not file.exists():
        raise UsageError(f"comfyd is no service: there is no {file}.")
    _require_manager()
    if _LAUNCHD:
        _call("launchctl", "bootout", f"gui/{os.getuid()}/{service.LABEL}")
    else:
        _call("systemctl", "--user", "disable", "--now", service.UNIT)
    file.unlink()
    if not _LAUNCHD:
        _call("systemctl", "--user", "daemon-reload")
    terminal.out(f"comfyd is no longer a service; {file} is removed")
    return ExitStatus.DONE


def _text(terminal: Terminal) -> str:
    program = [sys.executable, "-P", "-m", "comfyd.daemon", "--foreground"]
    variables = service.environment(terminal.environ)
    return service.launchd_plist(program, variables) if _LAUNCHD else service.systemd_unit(program, variables)


def _file(terminal: Terminal) -> Path:
    home = Path(terminal.environ.get("HOME") or Path.home())
    if _LAUNCHD:
        return home / "Library/LaunchAgents" / f"{service.LABEL}.plist"
    return Path(terminal.environ.get("XDG_CONFIG_HOME") or home / ".config") / "systemd/user" / service.UNIT


def _require_manager() -> None:
    """Raises UsageError where no service manager of this user answers, before anything is written."""
    if _LAUNCHD:
        return
    if not shutil.which("systemctl") or _run("systemctl", "--user", "show-environment").returncode:
        raise UsageError(
            "There is no systemd of yours here (systemctl --user does not answer); "
            "let another service manager run what `comfyd service print` shows, or use `comfyd start`."
        )


def _write(file: Path, text: str) -> None:
    try:
        put(file, text.encode())
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); check its directory.") from error


def _call(*command: str) -> None:
    """Run; raises UsageError with what the service manager said."""
    done = _run(*command)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise UsageError(f"`{' '.join(command)}` failed ({said[0].rstrip('.')}); correct that and try again.")


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)
