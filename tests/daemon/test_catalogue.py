"""Binding with the catalogue of an earlier start, and when that is not good enough."""

import asyncio

import pytest

from comfyd import errors
from comfyd.daemon.submit import _fresh
from comfyd.inuse import InUse
from comfyd.protocol import Accepted, Done, EngineState, Submit
from comfyd.workflow import Catalogue
from tests.daemon_process import DaemonProcess, final, graph, read_to, submit


@pytest.fixture
def starting(daemon: DaemonProcess) -> DaemonProcess:
    """A daemon whose worker was ready before and now takes its time; the file ``gate`` lets it go on."""
    daemon.start().ready()
    daemon.kill()
    daemon.say_at_start(f"wait {daemon.file('gate')}")
    return daemon.start()


def test_a_job_is_accepted_before_the_worker_is_ready(starting: DaemonProcess) -> None:
    with starting.client() as client:
        stream = client.stream(Submit(api=graph("Echo", text="x"), overrides=[("1.text", "y")]))
        assert read_to(stream, Accepted) == Accepted(job=1, position=1, overrides={"1.text": "y"})
        starting.file("gate").touch()
        messages = list(stream)
        assert any(isinstance(message, EngineState) and message.engine.state == "ready" for message in messages)
        assert isinstance(messages[-1], Done)


def test_nothing_is_refused_by_an_old_catalogue_alone(starting: DaemonProcess) -> None:
    (starting.paths.data / "models").mkdir()
    (starting.paths.data / "models" / "new.safetensors").touch()
    with starting.client() as client:
        stream = client.stream(submit("Load", model="new.safetensors"))
        read_to(stream, EngineState)
        starting.file("gate").touch()
        assert isinstance(final(stream), Done)


def test_what_an_old_catalogue_refuses_and_the_engine_cannot_confirm_is_refused(starting: DaemonProcess) -> None:
    with starting.client() as client:
        stream = client.stream(submit("Ecko", text="x"))
        read_to(stream, EngineState)
        starting.say_at_start("exit")
        starting.file("gate").touch()
        with pytest.raises(errors.UnknownNode, match="Ecko"):
            final(stream)


def test_a_busy_engine_is_not_waited_for_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy:
        live = True

        async def ask(self, order: object) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("comfyd.daemon.submit._PATIENCE", 0.0)
    refusal = errors.MissingModel("There is no model x.")
    refusal.classes = ("Load",)  # type: ignore[attr-defined]
    with pytest.raises(errors.MissingModel) as caught:
        asyncio.run(_fresh(Busy(), refusal))  # type: ignore[arg-type]
    assert caught.value.message.startswith("There is no model x; the engine was too busy")


def test_a_cached_catalogue_that_is_damaged_is_no_obstacle(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    daemon.kill()
    for file in daemon.paths.cache.glob("catalogue-*.json"):
        file.write_text("{")
    daemon.start()
    with daemon.client() as client:
        assert isinstance(client.call(submit("Echo", text="x")), Done)
    assert "cannot be used" in daemon.log


def test_a_large_graph_is_bound_beside_the_loop(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    large = {str(number): {"class_type": "Echo", "inputs": {"text": "x"}} for number in range(5000)}
    with daemon.client() as client:
        accepted = client.call(Submit(api=large, overrides=[("17.text", "y")], follow=False))
        assert isinstance(accepted, Accepted)
        assert accepted.overrides == {"17.text": "y"}
        with pytest.raises(errors.UnknownParameter):
            client.call(Submit(api=large, overrides=[("17.txet", "y")]))


def test_files_that_came_or_went_are_looked_at_before_a_job_that_names_one_is_accepted(starting: DaemonProcess) -> None:
    (starting.paths.data / "models").mkdir()
    with starting.client() as client:
        stream = client.stream(Submit(api=graph("Echo", text="x"), follow=False))
        assert isinstance(read_to(stream, Accepted), Accepted)
        stream = client.stream(submit("Load", model="gone.safetensors"))
        read_to(stream, EngineState)
        starting.file("gate").touch()
        with pytest.raises(errors.MissingModel, match=r"gone\.safetensors"):
            final(stream)


def test_a_model_is_trusted_while_its_folder_is_what_it_was(daemon: DaemonProcess) -> None:
    (daemon.paths.data / "models").mkdir(parents=True)
    (daemon.paths.data / "models" / "there.safetensors").touch()
    daemon.start().ready()
    daemon.kill()
    daemon.say_at_start(f"wait {daemon.file('gate')}")
    daemon.start()
    with daemon.client() as client:
        accepted = client.call(Submit(api=graph("Load", model="there.safetensors"), follow=False))
        assert isinstance(accepted, Accepted)
    (daemon.paths.data / "models" / "there.safetensors").unlink()
    with daemon.client() as client:
        stream = client.stream(submit("Load", model="there.safetensors"))
        read_to(stream, EngineState)
        daemon.file("gate").touch()
        with pytest.raises(errors.MissingModel, match=r"there\.safetensors"):
            final(stream)


def test_the_catalogue_of_packs_that_have_changed_is_not_used(daemon: DaemonProcess) -> None:
    packs = daemon.paths.data / "packs" / "one"
    packs.mkdir(parents=True)
    (packs / "__init__.py").write_text("version = 1\n")
    daemon.start().ready()
    daemon.kill()
    (packs / "__init__.py").write_text("version = 20\n")
    daemon.say_at_start(f"wait {daemon.file('gate')}")
    daemon.start()
    with daemon.client() as client:
        stream = client.stream(submit("Echo", text="x"))
        read_to(stream, EngineState)
        daemon.file("gate").touch()
        assert isinstance(final(stream), Done)
    assert "have changed since the node catalogue was written" in daemon.log


def test_one_file_serves_worker_daemon_and_clients(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    files = list(daemon.paths.cache.glob("*catalogue*"))
    assert len(files) == 1
    noted = InUse.read(daemon.paths.cache)
    assert noted is not None
    assert daemon.paths.cache / noted.catalogue == files[0]


def test_clients_see_the_files_that_came_since(daemon: DaemonProcess) -> None:
    daemon.start().ready()
    (daemon.paths.data / "models").mkdir(exist_ok=True)
    (daemon.paths.data / "models" / "new.safetensors").touch()
    with daemon.client() as client:
        client.call(submit("Load", model="new.safetensors"))
    noted = InUse.read(daemon.paths.cache)
    assert noted is not None
    known = Catalogue.read(daemon.paths.cache / noted.catalogue)
    loader = known.node("Load")
    assert loader is not None
    assert "new.safetensors" in (loader.inputs["model"].choices or ())
    assert known.node("Echo") is not None
    assert known.made_of.folders
