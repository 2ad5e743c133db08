"""The sides of a comparison, on the same engine, files and device: a comfyd daemon in its modes, and stock ComfyUI's server."""

import asyncio
import json
import os
import shlex
import shutil
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp

from comfyd import config
from comfyd.client import Client
from comfyd.demo import checkpoint as demo_checkpoint
from comfyd.engine import install, locate
from comfyd.protocol import Done, Graph, Stop, Submit, Unload, WaitReady
from tests.engine.stock import StockServer

from .work import Work as Work

_TUNED = "--gpu-only --cache-lru 200 --fast autotune cublas_ops --force-channels-last --preview-method none"
_TUNED_CPU = "--cache-lru 200 --preview-method none"
TUNED = shlex.split(_TUNED if Path("/dev/nvidiactl").exists() else _TUNED_CPU)
"""What makes stock ComfyUI 0.30 quickest."""


class Side(Protocol):
    """Something that runs graphs; ``files`` of what ``run`` returned are asked for when no clock runs."""

    name: str

    def run(self, graph: Graph) -> Any: ...

    def files(self, ran: Any) -> list[Path]: ...

    def free(self) -> None:
        """Lets go of all models, so that another work's find the memory that they would find alone."""


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

    name = "exact"

    def __init__(self, paths: config.Paths) -> None:
        self.paths = paths
        begun = time.perf_counter()
        self.client = Client(config.load(paths), paths).connect()
        status = self.client.call(WaitReady())
        self.ready_seconds = time.perf_counter() - begun
        self.device = status.engine.device  # type: ignore[union-attr]

    def run(self, graph: Graph, mode: str = "exact") -> Done:
        """Submits and waits for the files."""
        end = self.client.call(Submit(api=graph, mode=mode))
        assert isinstance(end, Done), end
        return end

    def files(self, ran: Done) -> list[Path]:
        return [Path(file) for file in ran.files]

    def free(self) -> None:
        self.client.call(Unload(everything=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.client.call(Stop(now=True))
        self.client.close()


class Fast:
    """The same daemon, asked for fast mode."""

    name = "fast"

    def __init__(self, comfyd: Comfyd) -> None:
        self._comfyd = comfyd
        self.made = ""
        """The mode that the last job was made in."""

    def run(self, graph: Graph) -> Done:
        done = self._comfyd.run(graph, "fast")
        self.made = done.mode
        return done

    def files(self, ran: Done) -> list[Path]:
        return self._comfyd.files(ran)

    def free(self) -> None:
        """The daemon's models are one pool."""


class Stock:
    """ComfyUI's own server, driven as its front end does: POST /prompt, then its websocket until the prompt is done."""

    def __init__(
        self, name: str, comfyui: Path, paths: config.Paths, works: list[Work], arguments: tuple[str, ...] | list[str]
    ) -> None:
        self.name = name
        base = paths.data.parent / f"stock-{name}"
        self.checkpoints = base / "models" / "checkpoints"
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        for work in works:
            _link_checkpoint(work.checkpoint_name, comfyui, self.checkpoints)
        cpu = () if Path("/dev/nvidiactl").exists() or "--cpu" in arguments else ("--cpu",)
        self._server = StockServer(comfyui, base, arguments=(*cpu, *arguments))
        self.ready_seconds = self._server.ready_seconds
        self._id = uuid.uuid4().hex
        self._loop = asyncio.new_event_loop()
        self._session, self._socket = self._loop.run_until_complete(self._connect())

    async def _connect(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
        session = aiohttp.ClientSession()
        return session, await session.ws_connect(f"{self._server.url}/ws?clientId={self._id}", max_msg_size=0)

    def run(self, graph: Graph) -> str:
        """Submits and waits for the prompt's end; returns its id."""
        return self._loop.run_until_complete(self._run(graph))

    def files(self, ran: str) -> list[Path]:
        return self._server.files(ran)

    def free(self) -> None:
        self._loop.run_until_complete(self._free())

    async def _free(self) -> None:
        async with self._session.post(f"{self._server.url}/free", json={"unload_models": True, "free_memory": True}) as reply:
            reply.raise_for_status()

    async def _run(self, graph: Graph) -> str:
        async with self._session.post(f"{self._server.url}/prompt", json={"prompt": graph, "client_id": self._id}) as reply:
            prompt_id: str = (await reply.json())["prompt_id"]
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                event = json.loads(message.data)
                assert event["type"] not in ("execution_error", "execution_interrupted"), event
                if event["type"] == "execution_success" and event["data"]["prompt_id"] == prompt_id:
                    return prompt_id
        raise ConnectionError("the server has closed its websocket")

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
