"""The fake engine with the node classes of the demo workflow, so that the terminal is tried with what a user types.

A sampler stops before the step that the file ``hold`` in the data directory names, until that file is gone.
"""

import base64
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comfyd.protocol import Found, Memory, NodeDone, NodeStarted, Output, Preview, Progress

_spec = importlib.util.spec_from_file_location("fake_engine", Path(__file__).parent.parent / "fake_engine.py")
assert _spec is not None
assert _spec.loader is not None
fake = importlib.util.module_from_spec(_spec)
sys.modules["fake_engine"] = fake
_spec.loader.exec_module(fake)

PNG = b"\x89PNG\r\n\x1a\n not really"
RED = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGP8z4AATAxEcQAz0QEHOoQ+uAAAAABJRU5ErkJggg==")
"""A picture: four pixels by four of pure red."""
DATA = Path(fake.SETTINGS["data"])
OUTPUTS = {"7"}
kept: dict[str, list[str]] = {}
"""Files by the content of the nodes that have run."""


def classes() -> dict[str, Any]:
    """Entries of the demo's nodes beside the fake engine's own."""
    text = ("STRING", {"multiline": True})
    size = ("INT", {"default": 512, "min": 16, "max": 16384})
    sampler = {
        "model": ("MODEL",),
        "seed": ("INT", {"default": 0, "min": 0, "max": 2**64 - 1}),
        "steps": ("INT", {"default": 20, "min": 1, "max": 10000}),
        "cfg": ("FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0}),
        "sampler_name": (["euler", "dpmpp_2m"], {}),
        "scheduler": (["simple", "karras"], {}),
        "positive": ("CONDITIONING",),
        "negative": ("CONDITIONING",),
        "latent_image": ("LATENT",),
        "denoise": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0}),
    }
    return own_classes() | {
        "CheckpointLoaderSimple": fake._class(["MODEL", "CLIP", "VAE"], ckpt_name=(["comfyd-demo.safetensors"], {})),
        "CLIPTextEncode": fake._class(["CONDITIONING"], text=text, clip=("CLIP",)),
        "EmptySD3LatentImage": fake._class(["LATENT"], width=size, height=size, batch_size=("INT", {"min": 1, "max": 4096})),
        "KSampler": fake._class(["LATENT"], **sampler),
        "VAEDecode": fake._class(["IMAGE"], samples=("LATENT",), vae=("VAE",)),
        "SaveImage": fake._class([], images=("IMAGE",), filename_prefix=("STRING", {})),
    }


own_classes = fake.catalogue


class Job(fake.Job):  # type: ignore[misc, name-defined]
    """Runs the demo's nodes; what a node has given is kept by its inputs and those of the nodes before it."""

    def messages(self) -> Iterator[Any]:
        for message in super().messages():
            if isinstance(message, NodeStarted):
                title = self.run.graph[message.node].get("_meta", {}).get("title", message.class_type)
                message = NodeStarted(job=message.job, node=message.node, class_type=message.class_type, title=title)
            if isinstance(message, NodeDone):
                kept[content(self.run.graph, message.node)] = self.files
            yield message

    def cached(self) -> list[str]:
        keys = {node: content(self.run.graph, node) for node in self.run.graph}
        found = [node for node in keys if keys[node] in kept]
        self.files += [file for node in found if node in OUTPUTS & keys.keys() for file in kept[keys[node]]]
        return found

    def do_KSampler(self, node: str, steps: int, **inputs: Any) -> Iterator[Any]:
        for step in range(1, steps + 1):
            while not self.cancelled and held(step):
                yield self.look(node, step - 1, steps)
            if self.cancelled:
                return
            memory = Memory(device="fake", used=(step % 4 + 1) * fake.GIB, total=24 * fake.GIB)
            yield Progress(job=self.run.job, node=node, value=step, max=steps, memory=memory)
            if picture := self.look(node, step, steps):
                yield picture

    looked = 0

    def look(self, node: str, step: int, steps: int) -> Preview | None:
        """A step's picture, once, for who wants to see it."""
        if not self.previewed or not step or self.looked == step:
            return None
        self.looked = step
        data = bytes([step, 200, 100]) * 4
        return Preview(job=self.run.job, node=node, value=step, max=steps, width=2, height=2, data=data)

    def do_SaveImage(self, node: str, filename_prefix: str, **inputs: Any) -> Iterator[Any]:
        batch = self.run.graph["4"]["inputs"]["batch_size"] if "4" in self.run.graph else 1
        self.files += [str(DATA / f"{filename_prefix}_{self.run.job:05}_{number}.png") for number in range(batch)]
        for file in self.files:
            Path(file).write_bytes(RED if filename_prefix == "red" else PNG)
        yield Output(job=self.run.job, node=node, files=self.files)

    def quietly(self, node: str, **inputs: Any) -> Iterator[Any]:
        return iter(())

    do_CheckpointLoaderSimple = do_CLIPTextEncode = do_EmptySD3LatentImage = do_VAEDecode = quietly


def content(graph: dict[str, Any], node: str) -> str:
    """All that a node's result depends on."""
    inputs = graph[node]["inputs"].items()
    given = {name: content(graph, value[0]) if isinstance(value, list) else value for name, value in inputs}
    return json.dumps([graph[node]["class_type"], given])


def planned(graph: dict[str, Any]) -> dict[str, Found]:
    return {node: Found(state="cached" if content(graph, node) in kept else "run") for node in graph}


def held(step: int) -> bool:
    """Whether the sampler is to wait before this step."""
    try:
        return int((DATA / "hold").read_text()) == step
    except (FileNotFoundError, ValueError):
        return False


fake.catalogue = classes
fake.Job = Job
fake.planned = planned
main = fake.main

if __name__ == "__main__":
    sys.exit(main())
