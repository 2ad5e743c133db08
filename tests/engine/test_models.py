"""Models that lie outside of ComfyUI's own folders are found as ComfyUI finds them."""

from pathlib import Path

from comfyd.protocol import Describe, Described

from .conftest import make_base
from .graphs import LOADER, demo
from .worker import WorkerProcess, done


def test_extra_model_paths_are_read(comfyui: Path, demo_checkpoint: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "sd").mkdir(parents=True)
    (elsewhere / "sd" / "far.safetensors").symlink_to(demo_checkpoint)
    extra = tmp_path / "extra_model_paths.yaml"
    extra.write_text(f"mine:\n  base_path: {elsewhere}\n  checkpoints: sd\n")
    arguments = ["--cpu", "--base-directory", str(make_base(tmp_path / "base")), "--disable-api-nodes"]
    arguments += ["--extra-model-paths-config", str(extra)]
    worker = WorkerProcess(comfyui, tmp_path / "base", demo_checkpoint.parent.parent, {"engine_args": arguments})
    try:
        worker.ready()
        worker.send(Describe(request=1, classes=["CheckpointLoaderSimple"]))
        choices = worker.wait_for(Described).classes["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]
        assert "far.safetensors" in choices
        assert LOADER in done(worker.run(demo(checkpoint="far.safetensors"))).executed
    finally:
        worker.close()
