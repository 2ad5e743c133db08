"""What a service manager is told."""

import configparser
import plistlib

from comfyd.service import environment, launchd_plist, systemd_unit

PROGRAM = ["/opt/my env/bin/python", "-m", "comfyd.daemon", "100%", "$x"]


def test_the_unit_quotes_what_systemd_would_read_otherwise() -> None:
    unit = configparser.RawConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(systemd_unit(PROGRAM, {"COMFYD_HOME": '/a "b"%$'}))
    assert unit["Service"]["ExecStart"] == '"/opt/my env/bin/python" "-m" "comfyd.daemon" "100%%" "$$x"'
    assert unit["Service"]["Environment"] == '"COMFYD_HOME=/a \\"b\\"%%$"'


def test_only_the_daemon_gets_the_signal_and_time_for_its_jobs() -> None:
    unit = systemd_unit(PROGRAM, {})
    assert "KillMode=mixed\n" in unit
    assert "TimeoutStopSec=900\n" in unit
    assert "Restart=on-failure\n" in unit


def test_launchd_gets_the_same() -> None:
    plist = plistlib.loads(launchd_plist(PROGRAM, {"COMFYD_HOME": "/a & b"}).encode())
    assert plist["ProgramArguments"] == PROGRAM
    assert plist["EnvironmentVariables"] == {"COMFYD_HOME": "/a & b"}
    assert plist["KeepAlive"] == {"SuccessfulExit": False}


def test_the_service_starts_as_this_shell_would_start_it() -> None:
    env = {"COMFYD_HOME": "/h", "PATH": "/bin", "COMFYD_HANDED_ON": "{}", "SECRET": "x", "COMFYD_PYTHON": ""}
    assert environment(env) == {"COMFYD_HOME": "/h", "PATH": "/bin"}
