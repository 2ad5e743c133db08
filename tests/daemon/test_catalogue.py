"""Binding with the catalogue of an earlier start, and when that is not good enough."""

import asyncio

import pytest

from comfyd import errors
from comfyd.daemon.submit import _fresh
from comfyd.protocol import Accepted, Done, EngineState, Submit
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
