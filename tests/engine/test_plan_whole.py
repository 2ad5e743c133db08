"""Plans of a whole daemon with the real engine: reasons, times, and an answer while a job samples."""

import os
from pathlib import Path

from comfyd.client import Client
from comfyd.protocol import Done, Graph, PlanReply, PlanRequest, Submit, Unload, Watch
from tests.daemon_process import DaemonProcess, detach

from . import models
from .graphs import DECODE, LOADER, PROMPT, SAMPLER, SAVE, changed, demo
from .test_whole import client, wait_for_step, whole
from .worker import done

__all__ = ["client", "whole"]  # fixtures


def plan(client: Client, graph: Graph, workflow: str) -> PlanReply:
    reply = client.call(PlanRequest(api=graph, workflow=workflow))
    assert isinstance(reply, PlanReply)
    return reply


def check(client: Client, graph: Graph, workflow: str) -> dict[str, str]:
    """Plans and runs; the reasons of what ran."""
    reply = plan(client, graph, workflow)
    end = done(client.call(Submit(api=graph, workflow=workflow)))  # type: ignore[arg-type]
    told = {node.node: node.reason for node in reply.nodes if node.state == "run"}
    assert told.keys() == set(end.executed)
    return told


def test_every_reason_is_the_true_one(client: Client, whole: DaemonProcess, demo_checkpoint: Path) -> None:
    base = whole.home / "base"
    name = models.copy(demo_checkpoint, base, "reasons.safetensors")
    graph = demo("reasons", checkpoint=name, seed=1)
    assert set(check(client, graph, "reasons").values()) >= {"first run"}
    assert check(client, graph, "reasons") == {}
    seed = changed(graph, SAMPLER, seed=2)
    assert check(client, seed, "reasons")[SAMPLER] == "seed 1 -> 2"
    text = changed(seed, PROMPT, text="others")
    assert check(client, text, "reasons")[PROMPT] == 'text "reasons" -> "others"'
    client.call(Unload(names=["results"]))
    assert check(client, text, "reasons")[SAMPLER] == "dropped from the cache"
    os.utime(base / "models" / "checkpoints" / name, ns=(1, 1))
    assert check(client, text, "reasons")[LOADER] == f"{name} changed"
    end = client.call(Submit(api=text, workflow="reasons"))
    assert isinstance(end, Done)
    Path(end.files[0]).unlink()
    assert check(client, text, "reasons") == {SAVE: f"{Path(end.files[0]).name} is gone"}


def test_times_are_known_after_a_run(client: Client) -> None:
    graph = demo("times", seed=1, steps=5)
    for seed in (1, 2):
        client.call(Submit(api=changed(graph, SAMPLER, seed=seed), workflow="times"))
    reply = plan(client, changed(graph, SAMPLER, seed=3), "times")
    assert {node.node: node.basis for node in reply.nodes if node.seconds is not None} == dict.fromkeys(
        (SAMPLER, DECODE, SAVE), "measured"
    )
    assert reply.seconds
    assert reply.memory.peak
    scaled = plan(client, changed(graph, SAMPLER, seed=3, steps=50), "times")
    assert scaled.untimed == 0
    assert {node.basis for node in scaled.nodes if node.node == SAMPLER} == {"scaled"}


def test_a_plan_comes_between_the_steps_of_a_running_job(client: Client) -> None:
    graph = demo("between", seed=1, steps=80, size=(128, 128))
    job = detach(client, graph)
    wait_for_step(client, job)
    reply = plan(client, graph, "")
    states = {node.node: node.state for node in reply.nodes}
    assert (states[LOADER], states[SAMPLER]) == ("cached", "run")
    assert reply.ahead == 1
    assert {node.reason for node in reply.nodes if node.node == SAMPLER} == {f"job {job} has not got to it yet"}
    assert isinstance(client.call(Watch(job=job)), Done)
