"""run in pipes: output, JSON, -o, exit statuses."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.daemon_process import wait_until

from .conftest import COMFYD, Shell

PNG = b"\x89PNG\r\n\x1a\n not really"  # what the fake engine writes


def test_the_first_run_starts_the_daemon_and_prints_the_path(shell: Shell):
    result = shell.run("run", "demo")
    assert result.status == 0
    assert Path(result.out.strip()).read_bytes() == PNG
    lines = result.err.splitlines()
    assert lines[0] == "starting the daemon"
    assert "node 5 of 7: KSampler" in lines
    assert any(line.strip().startswith("KSampler: step 8/8") for line in lines)
    assert lines[-1].startswith("done in ")
    assert lines[-1].endswith(" · 7 of 7 nodes · peak 2.0 GB · exact")
    assert result.err.replace("\n", "").isprintable()


def test_an_identical_run_still_has_its_files(shell: Shell):
    first, second = shell.run("run", "demo"), shell.run("run", "demo")
    assert first.out == second.out
    assert "0 of 7 nodes" in second.err


def test_quiet_prints_paths_only(shell: Shell):
    result = shell.run("run", "demo", "batch", "2", "--quiet")
    assert [Path(line).exists() for line in result.out.splitlines()] == [True, True]
    assert result.err == ""


def test_a_cached_run_imports_little(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    shell.run("run", "demo")
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    cached = shell.run("run", "demo", "--quiet")
    imported = {line.rpartition("|")[2].strip() for line in cached.err.splitlines()}
    assert "comfyd.client" in imported
    needless = {"typer", "click", "pydantic", "rich", "prompt_toolkit", "asyncio", "subprocess", "tempfile", "shutil", "hashlib"}
    assert not imported & (needless | {"tomllib", "shlex", "difflib", "traceback", "comfyd.engine", "comfyd_cli.view"})


def test_json_ends_with_the_result(shell: Shell):
    result = shell.run("run", "demo", "seed", "7", "--json")
    kinds = [message["type"] for message in result.messages]
    assert kinds[-1] == "Done"
    assert "Progress" in kinds
    assert all(line.startswith('{"type":"') for line in result.out.splitlines())
    refused = shell.run("run", "demo", "sede", "7", "--json")
    assert refused.status == 2
    assert refused.messages[-1]["error"]["code"] == "unknown-parameter"
    assert shell.run("run", "nothing", "--json").messages[-1]["error"]["code"] == "workflow-not-found"
    assert shell.run("run", "--json").messages[-1]["error"]["code"] == "usage"


def test_detached_and_watched(shell: Shell):
    shell.hold(4)
    number = shell.run("run", "demo", "--detach").out.strip()
    assert shell.run("run", "demo", "seed", "2", "-d", "--json").messages[-1]["type"] == "Accepted"
    assert shell.wait_for_job("running") == int(number)
    shell.hold(None)
    assert shell.run("watch", number).status == 0
    assert f" {number}  done " in shell.run("history").out


def test_refusals_before_a_job(shell: Shell):
    shell.run("start")
    shell.daemon.ready()
    for arguments, sentence in (
        (("demo", "sed", "1"), "did you mean 'seed'?"),
        (("demo", "cfg", "-1"), "not -1.0"),
        (("demo", "steps", "many"), "'many'"),
        (("demo", "seed"), "'seed' has no value"),
        (("demo", "-o", "missing/x.png"), "missing is not a directory"),
        (("demo", "-o", "x.png", "--detach"), "use one of the two"),
        (("dmeo",), "demo"),
    ):
        result = shell.run("run", *arguments)
        assert result.status == 2, arguments
        assert result.out == ""
        assert result.err.startswith("comfyd: ")
        assert sentence in result.err
        assert result.err.count("\n") == 1
    assert shell.run("run", "demo", "-o", "-", "--json").messages[-1]["error"]["code"] == "usage"
    assert shell.run("history").err == "No job has ended yet.\n"


def test_a_job_that_fails(shell: Shell):
    flow = '{"1": {"class_type": "Raise", "inputs": {"message": "no \\u001b[31m luck"}}}'
    result = shell.run("run", "-", stdin=flow)
    assert result.status == 1
    assert result.err.splitlines()[-1] == "comfyd: Node 1 (Raise) failed: no \\x1b[31m luck."
    assert shell.run("run", "-", "--json", stdin=flow).messages[-1]["type"] == "Failed"


def test_a_copy_of_the_files(shell: Shell):
    named = shell.run("run", "demo", "-o", "apple.png")
    assert named.out == "apple.png\n"
    assert (shell.directory / "apple.png").read_bytes() == PNG
    (shell.directory / "album").mkdir()
    assert shell.run("run", "demo", "batch", "2", "-o", "album").out.splitlines() == [
        f"album/{name}" for name in sorted(entry.name for entry in (shell.directory / "album").iterdir())
    ]


def test_a_copy_under_a_name_of_another_format(shell: Shell):
    refused = shell.run("run", "demo", "-o", "apple.jpg")
    assert (refused.status, refused.out) == (2, "")
    assert "write -o apple.png instead" in refused.err
    assert shell.run("status").status == 3
    later = shell.run("run", "demo", "-o", "apple.fruit")
    assert (later.status, later.out) == (0, "apple.fruit.png\n")
    assert "so apple.fruit is written as apple.fruit.png" in later.err


def test_bytes_on_stdout_and_nothing_else(shell: Shell):
    shell.run("start")
    done = subprocess.run([COMFYD, "run", "demo", "-o", "-"], capture_output=True, cwd=shell.directory, check=True)
    assert done.stdout == PNG
    many = subprocess.run([COMFYD, "run", "demo", "batch", "2", "-o", "-"], capture_output=True, cwd=shell.directory, check=False)
    assert (many.returncode, many.stdout) == (1, b"")
    assert b"the workflow made 2" in many.stderr


def test_cancelled_elsewhere_is_a_failure(shell: Shell):
    shell.hold(3)
    with subprocess.Popen([COMFYD, "run", "demo", "--json"], stdout=subprocess.PIPE, cwd=shell.directory) as process:
        job = shell.wait_for_job("running")
        assert shell.run("cancel", str(job)).out == f"job {job} is cancelled\n"
        out, _ = process.communicate()
    assert process.returncode == 1
    assert json.loads(out.splitlines()[-1]) == {"type": "Cancelled", "job": job}
    unknown = shell.run("cancel", "99", str(job))
    assert unknown.out == f"job {job} is cancelled\n"
    assert unknown.status == 2
    assert "There is no job 99" in unknown.err


def test_an_interrupt_in_a_pipe_ends_with_a_result(shell: Shell):
    shell.hold(3)
    with subprocess.Popen([COMFYD, "run", "demo", "--json"], stdout=subprocess.PIPE, cwd=shell.directory) as process:
        job = shell.wait_for_job("running")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == 130
    assert json.loads(out.splitlines()[-1]) == {"type": "Cancelled", "job": job}


def test_a_reader_that_goes_away_is_no_error(shell: Shell):
    shell.run("start")
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = subprocess.run([COMFYD, "help"], stdout=write_end, stderr=subprocess.PIPE, check=False)
    os.close(write_end)
    assert (result.returncode, result.stderr) == (1, b"")


def test_streams_that_are_closed_or_full(shell: Shell):
    shell.run("start")
    for redirection in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        line = f'"{COMFYD}" run demo {redirection}'
        result = subprocess.run(["bash", "-c", line], capture_output=True, cwd=shell.directory, check=False)
        assert result.returncode == 0, redirection
        assert b"Traceback" not in result.stderr
    full = subprocess.run(["bash", "-c", f'"{COMFYD}" run demo --json >/dev/full'], capture_output=True, text=True, check=False)
    assert full.returncode == 2
    assert full.stderr.splitlines()[-1].startswith("comfyd: stdout cannot be written (No space left on device)")
    assert full.stderr.count("\n") == 1


def test_invalid_text_in_arguments_and_lines(shell: Shell):
    for arguments in ([b"demo", b"prompt", b"bad \xff"], [b"bad\xff.json"], [b"demo", b"-o", b"bad\xff.png"]):
        result = subprocess.run([COMFYD, b"run", *arguments], capture_output=True, cwd=shell.directory, text=True, check=False)
        assert result.returncode == 2
        assert "not valid UTF-8" in result.stderr
        assert result.stderr.count("\n") == 1
    result = subprocess.run([COMFYD, "repl"], input=b"prompt \xff\nhelp\n", capture_output=True, check=False)
    assert result.returncode == 2
    assert b"not valid UTF-8" in result.stderr


def test_a_daemon_that_dies_under_a_run(shell: Shell):
    shell.hold(3)
    with subprocess.Popen([COMFYD, "run", "demo"], stderr=subprocess.PIPE, cwd=shell.directory, text=True) as process:
        job = shell.wait_for_job("running")
        shell.daemon.kill()
        _, err = process.communicate()
    assert process.returncode == 3
    assert f"comfyd watch {job}" in err
    shell.hold(None)
    assert shell.run("watch", str(job)).status == 0


def test_residents(shell: Shell):
    models = shell.daemon.paths.data / "models"
    models.mkdir()
    (models / "a.safetensors").touch()
    assert (
        shell.run(
            "run",
            '{"1": {"class_type": "Load", "inputs": {"model": "a.safetensors"}}, '
            '"2": {"class_type": "Echo", "inputs": {"text": "x"}}}',
        ).status
        == 0
    )
    line = wait_until(lambda: [line for line in shell.run("ps").out.splitlines() if "checkpoint" in line], "a resident")[0]
    assert line.split()[:4] == ["a.safetensors", "checkpoint", "1.0", "GB"]
    assert "NAMEs" in shell.run("unload").err
    assert shell.run("unload", "b").status == 2
    assert shell.run("unload", "a.safetensors").out == "freed 1.0 GB: a.safetensors\n"
    assert shell.run("ps").err.startswith("Nothing is resident.")


def test_parameters(shell: Shell):
    lines = shell.run("params", "demo").out.splitlines()
    assert lines[0].split() == ["NAME", "ADDRESS", "NODE", "TYPE", "VALUE", "RANGE"]
    assert any(line.startswith("seed ") and "5.seed" in line for line in lines)
    (message,) = shell.run("params", "demo", "--json").messages
    assert {parameter["address"] for parameter in message["parameters"]} >= {"5.seed", "2.text"}


@pytest.mark.parametrize("command", ["run", "engine", "help"])
def test_help_needs_nothing(shell: Shell, command: str):
    assert shell.run(command, "--help").status == 0
    assert shell.run("status").status == 3
