"""The command doctor beside a daemon that runs, that died, and with settings that cannot be read."""

from .conftest import Shell


def states(shell: Shell) -> dict[str, tuple[str, str]]:
    findings = shell.run("doctor", "--json").messages[0]["findings"]
    return {finding["name"]: (finding["state"], finding["text"]) for finding in findings}


def test_the_daemon_runs_died_and_is_not_there(shell: Shell) -> None:
    assert states(shell)["daemon"][1].startswith("not running")
    shell.run("start")
    assert f"pid {shell.daemon.pid}" in states(shell)["daemon"][1]
    shell.daemon.kill()
    state, text = states(shell)["daemon"]
    assert (state, "left of a daemon that died" in text) == ("warning", True)


def test_settings_that_cannot_be_read_are_a_finding(shell: Shell) -> None:
    shell.daemon.paths.config_file.write_text("max_runing = 2\n")
    done = shell.run("doctor")
    assert done.status == 1
    assert done.out.splitlines()[0].startswith("PROBLEM  config: ")
    assert "did you mean 'max_running'" in done.out
    assert "comfyd config edit" in done.out
