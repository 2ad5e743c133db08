"""The daemon's smaller parts, each by itself."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from comfyd import config
from comfyd.daemon import autopsy
from comfyd.daemon.autopsy import Culprit, Ended
from comfyd.daemon.bootstrap import BOOTSTRAP
from comfyd.daemon.clients import Caller
from comfyd.daemon.followers import Followers
from comfyd.daemon.output import Output
from comfyd.daemon.restarts import WINDOW, Restarts
from comfyd.protocol import NodeDone, NodeStarted, Progress, Queued, Started, encode

NODE = Culprit(job=7, node="5", class_type="KSampler", title="Sampler")


# ---------------------------------------------------------------- how a worker died


def test_a_crash_is_its_nodes_fault_and_costs_the_others_nothing() -> None:
    death = autopsy.death(Ended(-signal.SIGSEGV, NODE, "tail"))
    assert (death.culprits, death.counts) == ({7}, False)
    assert death.error is not None
    assert death.error.code == "worker-crashed"
    assert "was ended by SIGSEGV in node 5 (KSampler) of job 7" in death.error.message
    assert death.error.detail == "tail"


@pytest.mark.parametrize(
    "ended",
    [
        Ended(-signal.SIGKILL, NODE, ""),
        Ended(-signal.SIGTERM, NODE, ""),
        Ended(-signal.SIGSEGV, None, ""),
        Ended(1, None, ""),
    ],
)
def test_a_death_from_outside_or_without_a_node_is_nobodys_fault(ended: Ended) -> None:
    death = autopsy.death(ended)
    assert (death.culprits, death.error, death.counts) == (set(), None, True)
    assert death.suspect == (ended.culprit.job if ended.culprit else None)


def test_an_exit_in_the_middle_of_a_node_is_its_fault() -> None:
    assert autopsy.death(Ended(0, NODE, "")).culprits == {7}


def test_silence_is_blamed_on_whoever_held_the_worker() -> None:
    assert autopsy.stall([1, 2], Ended(-9, NODE, ""), 60.0).culprits == {7}
    death = autopsy.stall([1, 2], Ended(-9, None, ""), 60.0)
    assert death.culprits == {1, 2}
    assert death.error is not None
    assert "Nothing was heard for 60 s" in death.error.message


def test_a_signal_without_a_name_is_a_number() -> None:
    assert str(Ended(-63, None, "")) == "was ended by signal 63"


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        (b'{"job": 7, "node": "5", "class_type": "KSampler", "title": "Sampler"}\n', NODE),
        (b'{"job": 7, "node": "5", "class_type": "KSampler", "title": "Sampler"}\n"rest of a longer one"}\n', NODE),
        (b"null\n", None),
        (b"", None),
        (b'{"job": 7, "no', None),
        (b"\0" * 4096, None),
    ],
)
def test_the_black_box_is_read_whatever_is_in_it(tmp_path: Path, content: bytes, culprit: Culprit | None) -> None:
    file = tmp_path / "box"
    autopsy.prepare_blackbox(file)
    assert autopsy.read_blackbox(file) is None
    assert file.stat().st_size == 4096
    file.write_bytes(content.ljust(4096, b"\0"))
    assert autopsy.read_blackbox(file) == culprit
    assert autopsy.read_blackbox(tmp_path / "none") is None
    assert autopsy.read_import(file) == ""
    file.write_bytes(b'{"pack": "some_pack"}\nrest')
    assert autopsy.read_import(file) == "some_pack"
    assert autopsy.read_blackbox(file) is None


def test_a_start_that_crashes_says_in_one_line_where() -> None:
    tail = "loading\nFatal Python error: Aborted\n\nCurrent thread\nExtension modules: " + "a, " * 1000
    assert (
        "was ended by SIGABRT before it was ready: Fatal Python error: Aborted ("
        in autopsy.never_ready(Ended(-signal.SIGABRT, None, tail)).message
    )
    assert "while it imported the node pack some_pack; mend" in autopsy.never_ready(Ended(0, None, tail, "some_pack")).message
    assert len(autopsy.never_ready(Ended(1, None, "x" * 5000)).message) < 500


def test_a_pack_is_left_out_once_and_only_where_the_process_brought_its_end_about() -> None:
    crashed, killed = (Ended(-number, None, "", "some_pack") for number in (signal.SIGSEGV, signal.SIGKILL))
    assert autopsy.to_leave_out(crashed, []) == "some_pack"
    assert autopsy.to_leave_out(crashed, ["some_pack"]) == ""
    assert autopsy.to_leave_out(killed, []) == ""


# ---------------------------------------------------------------- when it is started again


def test_restarts_grow_slower_and_end() -> None:
    restarts = Restarts(limit=4)
    assert [restarts.died(float(at)) for at in range(5)] == [0.0, 0.25, 1.0, 4.0, None]


def test_old_deaths_are_forgotten_and_a_request_forgives() -> None:
    restarts = Restarts(limit=1)
    assert restarts.died(0.0) == 0.0
    assert restarts.died(WINDOW + 1) == 0.0
    assert restarts.died(WINDOW + 2) is None
    restarts.forgive()
    assert restarts.died(WINDOW + 3) == 0.0


# ---------------------------------------------------------------- what it printed


def test_output_is_kept_by_lines_without_colours_and_progress_bars_by_their_last_state(caplog: pytest.LogCaptureFixture) -> None:
    async def print_something() -> str:
        output = Output()
        os.write(output.write_end, b"\x1b[32m[INFO]\x1b[0m one\n 10%\r 50%\r100%\nhalf a li")
        output.started()
        await asyncio.sleep(0)
        output.close()
        return output.tail

    with caplog.at_level("INFO"):
        assert asyncio.run(print_something()) == "[INFO] one\n100%\nhalf a li"
    assert caplog.messages == ["[INFO] one", "100%", "half a li"]


def test_of_endless_output_the_end_is_kept() -> None:
    async def print_much() -> str:
        output = Output()
        for number in range(100):
            os.write(output.write_end, b"x" * 500 + b"%d\n" % number)
        output.started()
        output.close()
        return output.tail

    lines = asyncio.run(print_much()).split("\n")
    assert len(lines) == 40
    assert lines[-1].endswith("x99")


# ---------------------------------------------------------------- who is told

ME, YOU = Caller(b"me", b"1"), Caller(b"you", b"1")


def test_who_comes_later_is_told_what_matters_now() -> None:
    followers = Followers()
    for event, payload in [
        (Queued(job=1, position=1), b"queued"),
        (Started(job=1, nodes_total=2, cached=[]), b"started"),
        (NodeStarted(job=1, node="1", class_type="A", title="A"), b"node 1"),
        (Progress(job=1, node="1", value=1, max=2), b"progress"),
    ]:
        followers.note(event, payload)
    assert followers.follow(1, ME) == [b"started", b"node 1", b"progress"]
    followers.note(NodeStarted(job=1, node="2", class_type="A", title="A"), b"node 2")
    assert followers.follow(1, YOU) == [b"started", b"node 2"]
    followers.forget_events(1)
    assert followers.follow(1, YOU) == []


def test_who_comes_later_counts_the_nodes_that_are_done() -> None:
    followers = Followers()
    began = Started(job=1, nodes_total=4, cached=["1"])
    followers.note(began, encode(began))
    assert followers.follow(1, ME) == [encode(began)]
    for node in ("1", "3", "2"):
        followers.note(NodeDone(job=1, node=node, class_type="A", seconds=0.1, cached=node == "1"), b"")
    assert followers.follow(1, YOU) == [encode(Started(job=1, nodes_total=4, cached=["1", "3", "2"]))]
    followers.end(1)
    assert followers.follow(1, YOU) == []


def test_who_is_gone_is_told_nothing() -> None:
    followers = Followers()
    followers.follow(1, ME)
    followers.follow(1, YOU)
    followers.await_end(2, ME)
    followers.drop(b"me")
    assert followers.of(1) == [YOU]
    assert followers.end(2) == ([], [])
    assert followers.end(1) == ([YOU], [])
    assert followers.of(1) == []


# ---------------------------------------------------------------- imports


def test_the_daemon_imports_nothing_heavy() -> None:
    code = "import sys, comfyd.daemon.__main__; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "torch",
        "numpy",
        "typer",
        "rich",
        "prompt_toolkit",
        "argparse",
        "zmq.asyncio",
        "comfyd.worker",
        "comfyd.workflow.binding",
        "comfyd.engine",
        "dataclasses",
        "tempfile",
        "sqlite3.dump",
    }
    assert heavy.isdisjoint(modules)


def test_the_client_imports_nothing_heavy() -> None:
    code = "import sys, comfyd.client; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"asyncio", "subprocess", "typer", "rich", "sqlite3", "logging", "comfyd.daemon", "tempfile"}.isdisjoint(modules)


def test_the_bootstrap_loads_comfyd_from_its_directory_alone(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("import sys\nimport comfyd.protocol\ndef main():\n    print(comfyd.__file__, sys.path, sys.argv)\n")
    package = Path(config.__file__).parent
    command = [sys.executable, "-S", "-P", "-c", BOOTSTRAP, str(package), str(module), str(os.getpid())]
    environment = {"PYTHONPATH": str(Path(__import__("msgspec").__file__).parent.parent)}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    file, path = ran.stdout.split(" ", 1)
    assert file == str(package / "__init__.py")
    assert repr(str(package.parent)) not in path
    assert repr(str(package)) not in path


def test_a_worker_whose_daemon_is_gone_does_not_begin(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", BOOTSTRAP, str(tmp_path), "none", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "the daemon ended before its worker began" in ran.stderr
