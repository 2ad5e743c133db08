"""Finding and installing the engine, with stand-ins for what takes minutes."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from comfyd import config, errors
from comfyd.config import Config, Paths, private_directory
from comfyd.daemon import launch, supervisor
from comfyd.daemon.launch import Launch
from comfyd.daemon.supervisor import Supervisor
from comfyd.effects import ReplaceWorker
from comfyd.jobs import Death
from comfyd.protocol import EngineInfo, Event
from tests.daemon_process import DaemonProcess, submit

FAKE = Launch(python="/nonexistent/python", module="none")


class Heard:
    """A daemon that only listens."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str, float | None]] = []
        self.failure: errors.ComfydError | None = None

    def engine_changed(self, info: EngineInfo) -> None:
        self.states.append((info.state, info.message, info.fraction))

    def engine_ready(self) -> None: ...

    def engine_failed(self, error: errors.ComfydError) -> None:
        self.failure = error

    def job_event(self, event: Event, payload: bytes) -> None: ...

    def worker_died(self, death: Death) -> None: ...


@pytest.fixture
def paths(home: Path) -> Paths:
    found = config.paths({"COMFYD_HOME": str(home)})
    private_directory(found.run)
    return found


def supervise(paths: Paths, body: Callable[[Supervisor], Coroutine[Any, Any, None]]) -> Heard:
    """Run the body with a supervisor and return what was heard."""
    heard = Heard()

    async def run() -> None:
        watched = Supervisor(Config(), paths, heard)
        await body(watched)
        await watched.stop(now=True)

    asyncio.run(run())
    return heard


def test_an_installation_is_told_of_and_does_not_hold_up_the_loop(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def find(config: Config, paths: Paths, installing: Callable[[str, float | None], None]) -> Launch:
        installing("downloading", 0.25)
        gate.wait(30)
        installing("unpacking", 0.75)
        return FAKE

    monkeypatch.setattr(supervisor, "find", find)

    async def body(watched: Supervisor) -> None:
        waiting = asyncio.create_task(watched.ready())
        while watched.info.state != "installing":
            await asyncio.sleep(0)
        gate.set()
        with pytest.raises(errors.EngineFailed, match="/nonexistent/python cannot be run"):
            await waiting

    heard = supervise(paths, body)
    assert [state for state in heard.states if state[0] == "installing"] == [
        ("installing", "downloading", 0.25),
        ("installing", "unpacking", 0.75),
    ]
    assert heard.states[-1][0] == "failed"


def test_a_stop_does_not_wait_for_an_installation(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(supervisor, "find", lambda *_: gate.wait(30) and FAKE)

    async def body(watched: Supervisor) -> None:
        watched.start()
        await asyncio.sleep(0)

    heard = supervise(paths, body)
    gate.set()
    assert heard.failure is None


def test_a_bug_in_finding_is_a_failure_not_a_silence(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: object) -> Launch:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(supervisor, "find", find)

    async def body(watched: Supervisor) -> None:
        with pytest.raises(errors.EngineFailed, match="oops"):
            await watched.ready()
        watched.replace(ReplaceWorker([1], stalled=False))  # without a worker nothing happens

    assert supervise(paths, body).failure is not None


def test_the_managed_engine_is_installed_only_where_that_is_wanted(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from comfyd import engine

    installed: list[Paths] = []

    def locate(config: Config, paths: Paths) -> engine.Engine:
        if not installed:
            raise errors.EngineNotInstalled("No ComfyUI was found.")
        return engine.Engine(Path("/c"), Path(config.python or "/"), True, "0.30.0", ("--base-directory", "/c"))

    def install(paths: Paths, progress: Callable[[str, float | None], None]) -> None:
        installed.append(paths)
        progress("unpacking", 0.5)

    monkeypatch.setattr(engine, "locate", locate)
    monkeypatch.setattr(engine, "install", install)
    told: list[str] = []
    with pytest.raises(errors.EngineNotInstalled):
        launch.find(Config(auto_install=False), paths, lambda message, fraction: None)
    assert installed == []
    found = launch.find(Config(python="/c/python"), paths, lambda message, fraction: told.append(message))
    assert (found.python, found.comfyui, found.version) == ("/c/python", "/c", "0.30.0")
    assert found.args == ["--base-directory", "/c"]
    assert told[-1] == "unpacking"
    assert installed == [paths]


def test_the_worker_is_told_everything_in_its_environment(paths: Paths) -> None:
    import json

    found = Launch(python="p", comfyui="/c", args=["--from-engine"], left_out={"some_pack": "it crashed"})
    settings = Config(engine_args=["--cpu"], cache_ram=0.5)
    env = launch.environment(found, settings, paths, "ipc:///x", Path("/box"))
    assert env["COMFYD_WORKER_ADDRESS"] == "ipc:///x"
    assert env["COMFYD_WORKER_BLACKBOX"] == "/box"
    assert json.loads(env["COMFYD_WORKER_SETTINGS"]) == {
        "comfyui": "/c",
        "engine_args": ["--from-engine", "--cpu"],
        "catalogue": str(launch.catalogue_file(found, settings, paths)),
        "eager": False,
        "data": str(paths.data),
        "cache": str(paths.cache),
        "cache_ram": 1024**3 // 2,
        "cache_vram": 0,
        "models_ram": 0,
        "graphs_vram": 0,
        "png": "fast",
        "receipts": str(paths.receipts),
        "left_out": {"some_pack": "it crashed"},
    }


def test_an_engine_that_is_not_there_is_named_by_a_real_daemon(daemon: DaemonProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYD_WORKER_MODULE")
    daemon.start(comfyui="/nonexistent/ComfyUI")
    with daemon.client() as client:
        with pytest.raises(errors.EngineNotFound, match="/nonexistent/ComfyUI"):
            client.call(submit("Echo", text="x"))
        assert daemon.status().engine.state == "failed"
