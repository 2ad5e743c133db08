"""The two sides of a comparison, on the same engine, files and device: a comfyd daemon, and stock ComfyUI's server."""

import asyncio
import copy
import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from comfyd import config
from comfyd.client import Client
from comfyd.demo import checkpoint as demo_checkpoint
from comfyd.engine import install, locate
from comfyd.protocol import Done, Graph, Stop, Submit, WaitReady
from tests.engine.stock import StockServer


@dataclass(frozen=True)
class Work:
    """A graph with the node ids whose values the benchmark changes."""

    graph: Graph
    sampler: str
    prompt: str

    @classmethod
    def demo(cls) -> "Work":
        return cls(json.loads((files("comfyd.demo") / "workflow.json").read_text()), "5", "2")

    @classmethod
    def checkpoint(cls, name: str, size: int, steps: int) -> "Work":
        """The stock text-to-image graph, euler / normal, cfg 7."""
        graph = copy.deepcopy(cls.demo().graph)
        graph["1"]["inputs"]["ckpt_name"] = name
        graph["2"]["inputs"]["text"], graph["3"]["inputs"]["text"] = "a red fox", "blurry, bad"
        graph["4"] = {"class_type": "EmptyLatentImage", "inputs": {"width": size, "height": size, "batch_size": 1}}
        graph["5"]["inputs"].update(steps=steps, cfg=7.0, sampler_name="euler", scheduler="normal")
        return cls(graph, "5", "2")

    def seeded(self, seed: int, **sampler: Any) -> Graph:
        graph = copy.deepcopy(self.graph)
        graph[self.sampler]["inputs"].update({"seed": seed} | sampler)
        return graph


def prepare(folder: Path, comfyui: Path | None) -> tuple[config.Paths, Path]:
    """A COMFYD_HOME of the benchmark's own; the managed ComfyUI in it unless another tree is given."""
    os.environ["COMFYD_HOME"] = str(folder / "home")
    os.environ["COMFYD_ENGINE_ARGS"] = "--disable-api-nodes --disable-all-custom-nodes"  # as the stock server is started
    if comfyui is not None:
        os.environ["COMFYD_COMFYUI"] = str(comfyui.absolute())
    paths = config.paths()
    if comfyui is None:
        install(paths)
    return paths, locate(config.load(paths), paths).comfyui


class Comfyd:
    """A daemon that is ready, and a client connected to it."""

    def __init__(self, paths: config.Paths) -> None:
        begun = time.perf_counter()
        self.client = Client(config.load(paths), paths).connect()
        status = self.client.call(WaitReady())
        self.ready_seconds = time.perf_counter() - begun
        self.device = status.engine.device  # type: ignore[union-attr]

    def run(self, graph: Graph) -> Done:
        """Submits and waits for the files."""
        end = self.client.call(Submit(api=graph))
        assert isinstance(end, Done), end
        return end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.client.call(Stop(now=True))
        self.client.close()


class Stock:
    """ComfyUI's own server, driven as its front end does: POST /prompt, then its websocket until the prompt is done."""

    def __init__(self, comfyui: Path, paths: config.Paths, work: Work, arguments: tuple[str, ...]) -> None:
        base = paths.data.parent / "stock"
        checkpoints = base / "models" / "checkpoints"
        checkpoints.mkdir(parents=True, exist_ok=True)
        _link_checkpoint(work.graph["1"]["inputs"]["ckpt_name"], comfyui, checkpoints)
        arguments = arguments if Path("/dev/nvidiactl").exists() or "--cpu" in arguments else ("--cpu", *arguments)
        self._server = StockServer(comfyui, base, arguments=arguments)
        self.ready_seconds = self._server.ready_seconds
        self._id = uuid.uuid4().hex
        self._loop = asyncio.new_event_loop()
        self._session, self._socket = self._loop.run_until_complete(self._connect())

    async def _connect(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
        session = aiohttp.ClientSession()
        return session, await session.ws_connect(f"{self._server.url}/ws?clientId={self._id}", max_msg_size=0)

    def run(self, graph: Graph) -> None:
        """Submits and waits for the prompt's end."""
        self._loop.run_until_complete(self._run(graph))

    def files(self, graph: Graph) -> list[Path]:
        """The files of a run of its own."""
        return self._server.run(graph)

    async def _run(self, graph: Graph) -> None:
        async with self._session.post(f"{self._server.url}/prompt", json={"prompt": graph, "client_id": self._id}) as reply:
            prompt_id = (await reply.json())["prompt_id"]
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                event = json.loads(message.data)
                assert event["type"] not in ("execution_error", "execution_interrupted"), event
                if event["type"] == "execution_success" and event["data"]["prompt_id"] == prompt_id:
                    return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.run_until_complete(self._socket.close())
        self._loop.run_until_complete(self._session.close())
        self._loop.close()
        self._server.close()


def _link_checkpoint(name: str, comfyui: Path, folder: Path) -> None:
    """Gives stock ComfyUI the same file."""
    source = comfyui / "models" / "checkpoints" / name
    if (folder / name).exists():
        return
    if source.exists():
        (folder / name).symlink_to(source)
    elif name == demo_checkpoint.NAME:
        demo_checkpoint.write(folder / name)
    else:
        shutil.copyfile(name, folder / Path(name).name)
