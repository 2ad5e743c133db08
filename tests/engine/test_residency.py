"""What stays loaded: loaders run once for any number of workflows, until their file changes or they are told to go."""

import os
from pathlib import Path

from comfyd.protocol import Residency, Unloaded, UnloadOrder

from . import models
from .graphs import DECODE, LOADER, SAMPLER, SAVE, demo
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
    reply = worker.wait_for(Unloaded)
    assert (reply.request, reply.names, reply.unknown) == (7, [name], ["nothing.safetensors"])
    assert reply.freed > 100_000_000
    assert name not in {resident.name for resident in worker.wait_for(Residency).residents}
    assert LOADER in done(worker.run(demo(checkpoint=name, seed=71))).executed


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
