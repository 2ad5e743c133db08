"""service install and uninstall, with a systemctl that records what it is asked and starts what the unit says."""

import os
import shlex
from pathlib import Path

import pytest

from tests.daemon_process import wait_until

from .conftest import Shell

SYSTEMCTL = """#!/bin/sh
echo "$@" >> {log}
case "$2" in
  show-environment) exit {answers} ;;
  restart) ({start}) >/dev/null 2>&1 & ;;
  disable) kill "$(cat {pid})" ;;
esac
"""


@pytest.fixture
def systemctl(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was asked of systemctl."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return put(shell, tmp_path, answers=0)


def put(shell: Shell, folder: Path, answers: int) -> Path:
    unit = folder / ".config/systemd/user/comfyd.service"
    start = f"eval \"$(sed -n 's/^ExecStart=//p' {shlex.quote(str(unit))})\""
    program = folder / "bin" / "systemctl"
    program.parent.mkdir(exist_ok=True)
    log = folder / "systemctl.log"
    program.write_text(SYSTEMCTL.format(log=log, answers=answers, start=start, pid=shell.daemon.paths.pid_file))
    program.chmod(0o755)
    return log


def test_a_daemon_that_runs_makes_way_for_the_service(shell: Shell, systemctl: Path, tmp_path: Path) -> None:
    shell.run("start")
    before = shell.daemon.pid
    done = shell.run("service", "install")
    assert (done.status, done.out) == (0, f"comfyd is a service: {tmp_path}/.config/systemd/user/comfyd.service\n")
    assert "stopped; the service takes its place" in done.err
    assert [line.split()[1] for line in systemctl.read_text().splitlines()] == [
        "show-environment",
        "daemon-reload",
        "enable",
        "restart",
    ]
    wait_until(lambda: shell.run("status").status == 0, "the service's daemon")
    assert shell.daemon.pid != before

    assert shell.run("service", "uninstall").status == 0
    assert not (tmp_path / ".config/systemd/user/comfyd.service").exists()


def test_without_a_service_manager_nothing_is_written(shell: Shell, systemctl: Path, tmp_path: Path) -> None:
    put(shell, tmp_path, answers=1)
    done = shell.run("service", "install")
    assert done.status == 2
    assert "systemctl --user does not answer" in done.err
    assert not (tmp_path / ".config").exists()


def test_uninstalling_what_is_not_there(shell: Shell, systemctl: Path) -> None:
    done = shell.run("service", "uninstall")
    assert (done.status, done.out) == (2, "")
    assert "comfyd is no service" in done.err


def test_print_shows_a_unit_that_a_shell_could_run(shell: Shell) -> None:
    start = next(line for line in shell.run("service", "print").out.splitlines() if line.startswith("ExecStart="))
    assert shlex.split(start.removeprefix("ExecStart="))[1:] == ["-P", "-m", "comfyd.daemon", "--foreground"]
