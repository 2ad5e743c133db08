"""A plan says what the run that follows it then does: equal sets of executed and of kept nodes, for many kinds of change."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfyd.protocol import Done, Found, Graph, NodeStarted, Planned, PlanOrder, Progress, Started, Unloaded, UnloadOrder

from . import models
from .graphs import DECODE, LATENT, LOADER, PROMPT, SAMPLER, SAVE, chain, changed, demo, shown, with_lora
from .worker import WorkerProcess, done

NUMBERS = itertools.count(100)


def planned(worker: WorkerProcess, graph: Graph) -> dict[str, Found]:
    request = next(NUMBERS)
    worker.send(PlanOrder(request=request, graph=graph))
    answer = worker.wait_for(Planned)
    assert (answer.request, answer.error) == (request, None)
    assert answer.nodes.keys() == graph.keys()
    return answer.nodes


def in_state(found: dict[str, Found], *states: str) -> set[str]:
    return {id for id, node in found.items() if node.state in states}


def check(worker: WorkerProcess, graph: Graph) -> dict[str, Found]:
    """Plans, then runs; the plan, which the run has confirmed."""
    found = planned(worker, graph)
    job = worker.submit(graph)
    events = worker.events([job])
    started = next(m for m in events if isinstance(m, Started))
    end = done(events[-1])  # type: ignore[arg-type]
    executed = set(end.executed) & graph.keys()
    assert in_state(found, "run") <= executed <= in_state(found, "run", "maybe")
    assert in_state(found, "cached") == set(started.cached)
    return found


def test_first_run_and_its_repetition(worker: WorkerProcess) -> None:
    graph = demo("plan first", seed=1)
    assert in_state(check(worker, graph), "run") >= {PROMPT, SAMPLER, DECODE, SAVE}
    assert in_state(check(worker, graph), "run") == set()


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        (lambda g: changed(g, SAMPLER, seed=2), {SAMPLER, DECODE, SAVE}),
        (lambda g: changed(g, SAMPLER, steps=2), {SAMPLER, DECODE, SAVE}),
        (lambda g: changed(g, PROMPT, text="plan another"), {PROMPT, SAMPLER, DECODE, SAVE}),
        (lambda g: changed(g, LATENT, width=32), {LATENT, SAMPLER, DECODE, SAVE}),
        (lambda g: changed(g, SAVE, filename_prefix="plan-elsewhere"), {SAVE}),
        (lambda g: {f"other {id}": relinked(node) for id, node in g.items()}, set()),
        (lambda g: g | {"30": {"class_type": "PreviewImage", "inputs": {"images": [DECODE, 0]}}}, {"30"}),
        (lambda g: g | {"31": {"class_type": "EmptyLatentImage", "inputs": {"width": 16, "height": 16, "batch_size": 1}}}, set()),
    ],
    ids=["seed", "steps", "prompt", "size", "prefix", "other ids", "second output", "node that nothing needs"],
)
def test_a_change(worker: WorkerProcess, change: Callable[[Graph], Graph], runs: set[str]) -> None:
    before = demo("plan change", size=(48, 48))
    done(worker.run(before))
    assert in_state(check(worker, change(before)), "run") == runs


def relinked(node: dict[str, Any]) -> dict[str, Any]:
    inputs = {
        name: [f"other {value[0]}", value[1]] if isinstance(value, list) else value for name, value in node["inputs"].items()
    }
    return node | {"inputs": inputs}


def test_another_model(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.copy(demo_checkpoint, worker.base, "planned.safetensors")
    found = check(worker, demo("plan model", checkpoint=name))
    assert LOADER in in_state(found, "run")
    assert found[LOADER].loads == {name: (worker.base / "models" / "checkpoints" / name).stat().st_size}
    assert in_state(check(worker, demo("plan model", checkpoint=name, seed=9)), "run") == {SAMPLER, DECODE, SAVE}


def test_a_model_file_that_was_touched(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.copy(demo_checkpoint, worker.base, "touched.safetensors")
    graph = demo("plan touched", checkpoint=name)
    assert not check(worker, graph)[LOADER].altered
    os.utime(worker.base / "models" / "checkpoints" / name, ns=(1, 1))
    found = check(worker, graph)
    assert (found[LOADER].state, found[LOADER].altered, found[LOADER].files) == ("run", True, [name])
    assert not found[SAMPLER].altered


def test_a_changed_lora(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.lora(demo_checkpoint, worker.base, "planned-lora.safetensors", seed=1)
    graph = with_lora(demo("plan lora"), name)
    check(worker, graph)
    models.lora(demo_checkpoint, worker.base, name, seed=2)
    found = check(worker, graph)
    assert found["20"].files == [name]
    assert in_state(found, "run") == {"20", SAMPLER, DECODE, SAVE}


def test_an_embedding_that_is_gone(worker: WorkerProcess) -> None:
    file = worker.base / "models" / "embeddings" / "planned.pt"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"no tensor, which the engine only warns of")
    graph = demo("a cat, embedding:planned")
    check(worker, graph)
    file.unlink()
    found = check(worker, graph)
    assert (found[PROMPT].state, found[PROMPT].files) == ("run", ["embedding:planned"])


def test_an_image_that_was_painted_anew(worker: WorkerProcess) -> None:
    file = worker.base / "input" / "planned.png"
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": file.name}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "planned"}},
    }
    Image.new("RGB", (8, 8), "red").save(file)
    assert in_state(check(worker, graph), "run") == {"1", "2"}
    assert in_state(check(worker, graph), "run") == set()
    Image.new("RGB", (8, 8), "blue").save(file)
    found = check(worker, graph)
    assert in_state(found, "run") == {"1", "2"}
    assert (found["1"].altered, found["1"].files) == (True, [file.name])


def test_a_picture_that_is_gone(worker: WorkerProcess) -> None:
    graph = demo("plan gone")
    file = Path(done(worker.run(graph)).files[0])
    file.unlink()
    found = check(worker, graph)
    assert in_state(found, "run") == {SAVE}
    assert found[SAVE].missing == [str(file)]


def test_after_unload(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.copy(demo_checkpoint, worker.base, "unloaded.safetensors")
    graph = demo("plan unload", checkpoint=name)
    check(worker, graph)
    worker.send(UnloadOrder(request=1, names=[name], everything=False))
    worker.wait_for(Unloaded)
    check(worker, graph)
    check(worker, changed(graph, SAMPLER, seed=3))
    worker.send(UnloadOrder(request=2, names=["results"], everything=False))
    worker.wait_for(Unloaded)
    check(worker, graph)
    worker.send(UnloadOrder(request=3, names=[], everything=True))
    worker.wait_for(Unloaded)
    assert in_state(check(worker, graph), "cached") == set()


def test_is_changed_that_never_repeats(worker: WorkerProcess) -> None:
    graph = chain("TestEcho", "TestCount", text="plan same")
    always = changed(chain("TestEcho", "TestCount", text="plan always"), "2", text="always")
    check(worker, graph)
    assert in_state(check(worker, graph), "run") == set()
    check(worker, always)
    found = check(worker, always)
    assert in_state(found, "run") == {"2", "3"}
    assert (found["2"].always, found["3"].always) == (True, False)


def test_a_lazy_input_may_run(worker: WorkerProcess) -> None:
    graph = {
        "1": {"class_type": "TestEcho", "inputs": {"text": "plan left"}},
        "2": {"class_type": "TestEcho", "inputs": {"text": "plan right"}},
        "3": {"class_type": "TestSwitch", "inputs": {"side": "left", "left": ["1", 0], "right": ["2", 0]}},
        "4": {"class_type": "TestSink", "inputs": {"text": ["3", 0]}},
    }
    found = check(worker, graph)
    assert (in_state(found, "run"), in_state(found, "maybe")) == ({"3", "4"}, {"1", "2"})
    assert in_state(check(worker, graph), "idle") == {"2"}


@pytest.mark.parametrize("class_type", ["TestExpand", "TestExpandToSink", "TestBlock", "TestList", "TestV3", "TestOwnId"])
def test_nodes_of_all_kinds(worker: WorkerProcess, class_type: str) -> None:
    graph = chain("TestEcho", class_type, text=f"plan {class_type}")
    for _ in range(3):
        check(worker, graph)


def test_what_a_run_would_be_refused_for(worker: WorkerProcess) -> None:
    graph = changed(demo("plan refused"), LOADER, ckpt_name="nowhere.safetensors")
    worker.send(PlanOrder(request=6, graph=graph))
    error = worker.wait_for(Planned).error
    assert error is not None
    assert (error.code, "nowhere.safetensors" in error.message) == ("missing-model", True)


def test_a_plan_is_made_between_the_steps_of_a_job_and_changes_nothing_of_it(worker: WorkerProcess) -> None:
    graph = demo("plan beside", seed=4, steps=12)
    alone = picture(done(worker.run(graph)))
    worker.send(UnloadOrder(request=9, names=["results"], everything=False))
    worker.wait_for(Unloaded)
    job = worker.submit(graph)
    worker.wait_for(Progress, job)
    worker.send(PlanOrder(request=7, graph=graph))
    found = worker.wait_for(Planned).nodes
    after = worker.events([job])
    assert any(isinstance(message, Progress) for message in after)
    assert found[SAMPLER].state == "run"
    assert picture(done(after[-1])) == alone  # type: ignore[arg-type]


def picture(end: Done) -> bytes:
    with Image.open(end.files[0]) as image:
        return image.tobytes()


def test_a_plan_makes_no_result_more_valuable_and_drops_none(worker: WorkerProcess) -> None:
    graph = chain("TestEcho", text="plan looks only")
    done(worker.run(graph))
    for _ in range(2):
        assert in_state(planned(worker, graph), "cached") == {"1", "2"}
    end = done(worker.run(graph))
    assert (end.executed, shown(end.outputs)) == ([], ["plan looks only"])


def test_inside_of_a_long_node_a_plan_is_answered_beside_it(worker: WorkerProcess, tmp_path: Path) -> None:
    graph = demo("plan beside a node")
    done(worker.run(graph))
    busy = worker.submit(chain("TestBusy", text=str(tmp_path / "go")))
    worker.wait_for(NodeStarted, busy)
    assert in_state(planned(worker, graph), "cached") == graph.keys()
    assert in_state(planned(worker, changed(graph, SAMPLER, seed=2)), "run") == {SAMPLER, DECODE, SAVE}
    (tmp_path / "go").touch()
    worker.events([busy])
    assert in_state(planned(worker, graph), "cached") == graph.keys()


def test_a_packs_own_code_is_not_run_beside_a_node(worker: WorkerProcess, tmp_path: Path) -> None:
    busy = worker.submit(chain("TestBusy", text=str(tmp_path / "go")))
    worker.wait_for(NodeStarted, busy)
    worker.send(PlanOrder(request=8, graph=chain("TestCount", text="plan waits")))
    worker.send(PlanOrder(request=9, graph=chain("TestEcho", text="plan does not wait")))
    assert worker.wait_for(Planned).request == 9
    (tmp_path / "go").touch()
    answers = [message.request for message in worker.events([busy]) if isinstance(message, Planned)]
    assert (answers or [worker.wait_for(Planned).request]) == [8]
