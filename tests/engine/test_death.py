"""How a worker dies, and what it leaves for the daemon to read."""

import json
import signal
from pathlib import Path

from comfyd.protocol import NodeStarted, Progress, Shutdown, StartFailed

from .conftest import make_base
from .graphs import chain, demo
from .worker import WorkerProcess, done


def test_black_box_names_the_node_that_crashed(own_worker: WorkerProcess) -> None:
    own_worker.submit(chain("TestEcho", "TestSegfault", text="x"))
    assert own_worker.process.wait(60) == -signal.SIGSEGV
    record = json.loads(own_worker.blackbox.read_bytes().split(b"\n")[0])
    assert record == {"job": 1, "node": "2", "class_type": "TestSegfault", "title": "TestSegfault"}


def test_hanging_node_is_named_and_dies_with_its_daemon(own_worker: WorkerProcess, tmp_path: Path) -> None:
    own_worker.submit(chain("TestHang", text=str(tmp_path / "begun")))
    own_worker.wait_for(NodeStarted)
    assert json.loads(own_worker.blackbox.read_bytes().split(b"\n")[0])["class_type"] == "TestHang"
    own_worker.process.stdin.close()
    assert own_worker.process.wait(30) == 0


def test_start_that_fails_is_told_and_ends_the_process(comfyui: Path, demo_checkpoint: Path, tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    # A thread that never ends, and is waited for by an interpreter that ends as usual.
    forever = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n"
    pack = base / "custom_nodes" / "ending"
    pack.mkdir()
    (pack / "__init__.py").touch()
    (pack / "prestartup_script.py").write_text(forever + "raise SystemExit('no licence')\n")
    worker = WorkerProcess(comfyui, base, demo_checkpoint.parent.parent)
    error = worker.wait_for(StartFailed).error
    assert (error.code, "no licence" in error.message) == ("engine-failed", True)
    assert worker.process.wait(60) == 1
    worker.close()


def test_an_interrupt_from_outside_blames_no_node(own_worker: WorkerProcess) -> None:
    job = own_worker.submit(demo("interrupted", steps=6))
    own_worker.wait_for(Progress, job)
    own_worker.process.send_signal(signal.SIGINT)
    assert Path(done(own_worker.events([job])[-1]).files[0]).exists()


def test_shutdown_finishes_what_runs(own_worker: WorkerProcess) -> None:
    job = own_worker.submit(demo("finish", steps=6))
    own_worker.send(Shutdown())
    assert Path(done(own_worker.events([job])[-1]).files[0]).exists()
    assert own_worker.process.wait(30) == 0


def test_shutdown_now_drops_it(own_worker: WorkerProcess) -> None:
    job = own_worker.submit(demo("drop", steps=500))
    own_worker.wait_for(NodeStarted, job)
    own_worker.send(Shutdown(now=True))
    assert type(own_worker.events([job])[-1]).__name__ == "Cancelled"
    assert own_worker.process.wait(30) == 0
