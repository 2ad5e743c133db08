"""What a service manager is told: the systemd user unit and the launchd property list, as text. Pure."""

import plistlib
from collections.abc import Mapping, Sequence

UNIT = "comfyd.service"
LABEL = "io.comfyd.daemon"
_DRAIN = 900  # seconds a stop may wait for the running jobs
_PASSED_ON = ("PATH", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "CUDA_VISIBLE_DEVICES")
_NOT_PASSED_ON = ("COMFYD_HANDED_ON", "COMFYD_TRACEBACK")


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that decide how a daemon starts, so that the service's is the one that this shell would get."""
    wanted = {name: value for name, value in env.items() if name.startswith("COMFYD_") or name in _PASSED_ON}
    return {name: value for name, value in sorted(wanted.items()) if value and name not in _NOT_PASSED_ON}


def systemd_unit(program: Sequence[str], variables: Mapping[str, str]) -> str:
    """A user unit: SIGTERM lets the running jobs end, the worker gets its signal from the daemon alone (systemd.service(5))."""
    return "\n".join(
        [
            "[Unit]",
            "Description=comfyd, the resident daemon for ComfyUI workflows",
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart={' '.join(_systemd_word(word).replace('$', '$$') for word in program)}",
            *(f"Environment={_systemd_word(f'{name}={value}')}" for name, value in variables.items()),
            "Restart=on-failure",
            "RestartSec=5",
            "KillMode=mixed",
            f"TimeoutStopSec={_DRAIN}",
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        ]
    )


def _systemd_word(text: str) -> str:
    """Quoted, with the % of its specifiers written twice (systemd.syntax(7)); only ExecStart= reads $, too."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def launchd_plist(program: Sequence[str], variables: Mapping[str, str]) -> str:
    """An agent that is started again when it fails, and given time for its running jobs (launchd.plist(5))."""
    content = {
        "Label": LABEL,
        "ProgramArguments": list(program),
        "EnvironmentVariables": dict(variables),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ExitTimeOut": _DRAIN,
        "ProcessType": "Interactive",
    }
    return plistlib.dumps(content, sort_keys=False).decode()
