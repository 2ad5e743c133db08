"""What stays loaded: loaders run once for any number of workflows, until their file changes or they are told to go."""

import os
from pathlib import Path

import pytest

from comfyd.protocol import Residency, Unloaded, UnloadOrder

from . import models
from .graphs import DECODE, LOADER, SAMPLER, SAVE, chain, demo, shown, with_lora
from .worker import WorkerProcess, done, failed


def test_two_checkpoints_in_turn_are_loaded_once_each(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    names = [models.copy(demo_checkpoint, worker.base, f"turn-{letter}.safetensors") for letter in "ab"]
    executed = [done(worker.run(demo("cat", checkpoint=names[i % 2], seed=40 + i))).executed for i in range(4)]
    assert [LOADER in nodes for nodes in executed] == [True, True, False, False]
    assert executed[2] == [SAMPLER, DECODE, SAVE]


def test_only_what_a_change_reaches_is_executed(worker: WorkerProcess) -> None:
    done(worker.run(demo("rocket", seed=50)))
    assert done(worker.run(demo("rocket", seed=51))).executed == [SAMPLER, DECODE, SAVE]
    assert done(worker.run(demo("rocket", seed=50))).executed == []


def test_a_text_is_encoded_once_for_all_workflows(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    done(worker.run(demo("a text of its own")))
    other = with_lora(demo("a text of its own", steps=2), models.lora(demo_checkpoint, worker.base, "text.safetensors", 3))
    renamed = {f"n{node}": value for node, value in other.items()}
    for node in renamed.values():
        links = {name: [f"n{value[0]}", value[1]] for name, value in node["inputs"].items() if isinstance(value, list)}
        node["inputs"] = node["inputs"] | links
    assert done(worker.run(renamed)).executed == [f"n{node}" for node in ("20", SAMPLER, DECODE, SAVE)]


def test_changed_file_is_loaded_again(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.copy(demo_checkpoint, worker.base, "changing.safetensors")
    done(worker.run(demo(checkpoint=name)))
    os.utime(worker.base / "models" / "checkpoints" / name, ns=(1, 1))
    assert LOADER in done(worker.run(demo(checkpoint=name))).executed
    residents = worker.wait_for(Residency).residents
    assert len([r for r in residents if r.name == name and r.kind == "model"]) == 1


def test_deleted_picture_is_saved_again(worker: WorkerProcess) -> None:
    first = done(worker.run(demo("car", seed=60)))
    Path(first.files[0]).unlink()
    second = done(worker.run(demo("car", seed=60)))
    assert second.executed == [SAVE]
    assert Path(second.files[0]).exists()


def test_unload_by_name_lets_go_of_that_model_only(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.copy(demo_checkpoint, worker.base, "going.safetensors")
    done(worker.run(demo(checkpoint=name, seed=70)))
    worker.send(UnloadOrder(request=7, names=[name, "nothing.safetensors"], everything=False))
    told, reply = _until_unloaded(worker)
    assert (reply.request, reply.names, reply.unknown) == (7, [name], ["nothing.safetensors"])
    assert reply.freed > 100_000_000
    assert name not in {resident.name for resident in told.residents}  # so that a ps that follows is right
    assert LOADER in done(worker.run(demo(checkpoint=name, seed=71))).executed


def _until_unloaded(worker: WorkerProcess) -> tuple[Residency, Unloaded]:
    """The answer, and the last list of residents before it."""
    told: list[Residency] = []
    while not isinstance(message := worker.receive(), Unloaded):
        told += [message] if isinstance(message, Residency) else []
    return told[-1], message


def test_unloaded_model_is_gone_from_memory(own_worker: WorkerProcess) -> None:
    done(own_worker.run(demo("gone")))
    assert shown(done(own_worker.run(chain("TestCountModels"))).outputs) == ["1"]
    done(own_worker.run(demo("gone", seed=2)))
    own_worker.send(UnloadOrder(request=1, names=[], everything=True))
    own_worker.wait_for(Unloaded)
    assert shown(done(own_worker.run(chain("TestCountModels"))).outputs) == ["0"]


def test_changed_lora_is_read_again_though_a_checkpoint_has_its_name(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.lora(demo_checkpoint, worker.base, "both.safetensors", seed=5)
    (worker.base / "models" / "checkpoints" / name).write_bytes(b"another file of the same name")
    graph = with_lora(demo("guitar", seed=90), name)
    first = Path(done(worker.run(graph)).files[0]).read_bytes()
    models.lora(demo_checkpoint, worker.base, name, seed=6)
    second = done(worker.run(graph))
    assert SAMPLER in second.executed
    assert Path(second.files[0]).read_bytes() != first


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.safetensors", b""),
        ("empty.ckpt", b""),
        ("noise.ckpt", b"\x93" * 5000),
        ("short.pt", b"PK\x03\x04" + b"\0" * 5000),
        ("cut.pt", b"PK\x03\x04" + b"\0" * 500_000),
        ("page.safetensors", b"<!doctype html><title>Not found</title>"),
    ],
)
def test_file_that_is_no_model_is_corrupt(worker: WorkerProcess, name: str, content: bytes) -> None:
    (worker.base / "models" / "checkpoints" / name).write_bytes(content)
    error = failed(worker.run(demo(checkpoint=name))).error
    assert (error.code, name in error.message) == ("corrupt-model", True), error


def test_truncated_checkpoint_names_the_file(worker: WorkerProcess, demo_checkpoint: Path) -> None:
    name = models.copy(demo_checkpoint, worker.base, "truncated.safetensors")
    os.truncate(worker.base / "models" / "checkpoints" / name, 10_000_000)
    error = failed(worker.run(demo(checkpoint=name))).error
    assert error.code == "corrupt-model"
    assert name in error.message


def test_checkpoint_that_is_no_model_is_corrupt(worker: WorkerProcess) -> None:
    (worker.base / "models" / "checkpoints" / "noise.safetensors").write_bytes(os.urandom(100_000))
    assert failed(worker.run(demo(checkpoint="noise.safetensors"))).error.code == "corrupt-model"


def test_picture_appears_whole_or_not_at_all(worker: WorkerProcess) -> None:
    end = done(worker.run(demo("whole", seed=80)))
    folder = Path(end.files[0]).parent
    assert [path for path in folder.rglob("*") if path.is_file() and ".comfyd-staging" in path.parts] == []
    assert Path(end.files[0]).read_bytes().endswith(b"IEND\xaeB`\x82")
