"""start, stop, restart, status, logs."""

import subprocess
import sys

from tests.daemon_process import wait_until

from .conftest import Shell


def test_a_life_of_a_daemon(shell: Shell):
    assert shell.run("status").status == 3
    started = shell.run("start")
    assert started.status == 0
    assert "runs (pid" in started.out
    assert "runs already" in shell.run("start").out
    assert "comfyd 0." in shell.run("status").out
    restarted = shell.run("restart")
    assert restarted.out.startswith("comfyd is stopped\ncomfyd 0.")
    assert shell.run("stop").out == "comfyd is stopped\n"
    assert shell.run("stop").out == "no daemon runs\n"
    assert shell.run("status").err == "comfyd: No daemon is running; `comfyd start` starts one.\n"


def test_a_daemon_that_is_stopping_does_not_count_as_started(shell: Shell):
    shell.hold(2)
    shell.run("run", "demo", "--detach")
    shell.wait_for_job("running")
    stop = shell.open("stop")
    wait_until(lambda: "stopping once" in shell.run("status").out, "a daemon that is stopping")
    refused = shell.run("start")
    assert (refused.status, refused.out) == (3, "")
    assert "`comfyd restart` waits for its end" in refused.err
    shell.hold(None)
    stop.expect("comfyd is stopped")


def test_a_daemon_of_another_version_is_stopped_as_its_refusal_says(shell: Shell):
    shell.run("start")
    code = "import comfyd.client; comfyd.client.VERSION_FRAME = b'99'; from comfyd_cli.main import main; raise SystemExit(main())"
    newer = [sys.executable, "-c", code]
    refused = subprocess.run([*newer, "queue"], capture_output=True, text=True, check=False)
    assert refused.returncode == 3
    assert "run `comfyd stop && comfyd start`" in refused.stderr
    assert subprocess.run([*newer, "stop"], capture_output=True, text=True, check=False).stdout == "comfyd is stopped\n"
    assert shell.run("status").status == 3


def test_every_reply_is_json_when_asked(shell: Shell):
    assert shell.run("start", "--json").messages[-1]["type"] == "StatusReply"
    assert shell.run("status", "--json").messages[-1]["type"] == "StatusReply"
    assert shell.run("ps", "--json").messages[-1]["type"] == "PsReply"
    assert shell.run("queue", "--json").messages[-1]["type"] == "JobsReply"
    assert shell.run("history", "--json").messages[-1]["type"] == "JobsReply"
    assert [message["type"] for message in shell.run("restart", "--json").messages] == ["Stopped", "StatusReply"]
    assert shell.run("stop", "--json").messages[-1]["type"] == "Stopped"
    refused = shell.run("status", "--json")
    assert refused.messages[-1]["error"]["code"] == "daemon-unavailable"
    assert refused.status == 3


def test_no_start_refuses(shell: Shell):
    for command in (["run", "demo"], ["queue"], ["ps"], ["watch", "1"]):
        refused = shell.run(*command, "--no-start")
        assert refused.status == 3
        assert refused.err == "comfyd: No daemon is running; `comfyd start` starts one.\n"


def test_the_foreground_daemon_ends_by_ctrl_c(shell: Shell):
    child = shell.open("start", "--foreground")
    child.expect("listens on")
    assert shell.run("status").status == 0
    child.sendintr()
    child.expect("stopped")
    child.wait()
    assert child.exitstatus == 0


def test_logs(shell: Shell):
    assert "There is no log yet" in shell.run("logs").err
    shell.run("start")
    assert "listens on" in shell.run("logs").out
    assert len(shell.run("logs", "-n", "1").out.splitlines()) == 1
    child = shell.open("logs", "-f")
    child.expect("listens on")
    shell.run("stop")
    child.expect("stopped")
    child.sendintr()
    child.expect_exact("^C")
    child.wait()
    assert child.exitstatus == 0


def test_another_comfyui_than_that_of_the_daemon(shell: Shell):
    checkout = shell.directory / "mine"
    checkout.mkdir()
    for name in ("main.py", "nodes.py", "execution.py", "comfyui_version.py"):
        (checkout / name).touch()
    assert shell.run("run", "demo", "--comfyui", "mine", "--quiet").status == 0
    for command in (["run", "demo"], ["repl"], ["start"]):
        refused = shell.run(*command, "--comfyui", "mine", stdin="seed 1\n")  # the fake engine says that it is /fake
        assert (refused.status, refused.out) == (2, "")
        assert refused.err == f"comfyd: A daemon runs already, with /fake; comfyd restart --comfyui {checkout} changes it.\n"
    assert shell.run("restart", "--comfyui", "mine").status == 0
    missing = shell.run("restart", "--comfyui", "yours")
    assert missing.status == 3
    assert "There is no directory" in missing.err
    assert shell.run("status").status == 0
