"""A node pack for the tests: nodes that misbehave, and nodes that use each feature of ComfyUI's execution."""

import asyncio
import ctypes
import errno
import gc
import os
import sys
import time
from pathlib import Path

import comfy.utils
import numpy
import torch
from comfy.controlnet import ControlNet
from comfy.model_base import BaseModel
from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder
from nodes import SaveImage
from server import PromptServer


class _Node:
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"default": ""})}}


class TestEcho(_Node):
    def run(self, text):
        return (text,)


class TestSink(_Node):
    """An output node: shows the texts it was given."""

    OUTPUT_NODE = True
    RETURN_TYPES = ()
    INPUT_IS_LIST = True

    def run(self, text):
        return {"ui": {"text": [str(t) for t in text]}}


class TestRaise(_Node):
    def run(self, text):
        raise ValueError(text)


class TestRaiseMute(_Node):
    """Raises what cannot even say what it is."""

    def run(self, text):
        raise _Mute


class _Mute(Exception):
    def __str__(self):
        raise RuntimeError("mute")


class TestExit(_Node):
    def run(self, text):
        sys.exit(text)


class TestExitLater(_Node):
    async def run(self, text):
        await asyncio.sleep(0.01)
        sys.exit(text)


class TestShowAnything(_Node):
    """Shows what no message can carry as it is."""

    OUTPUT_NODE = True
    RETURN_TYPES = ()

    def run(self, text):
        things = [object, 2**70, "\udc80", numpy.float32(1.5), numpy.arange(2), {1: {"set"}}]
        return {"ui": {"things": things}}


class TestHostile(_Node):
    """Returns an object that answers every question with an error."""

    def run(self, text):
        return (_Hostile(),)


class _Hostile:
    def __getattr__(self, name):
        raise KeyError(name)

    def __str__(self):
        return "hostile"


class TestThread(_Node):
    """Reports its progress from a thread, until the file exists."""

    async def run(self, text):
        await asyncio.to_thread(self._work, text)
        return (text,)

    def _work(self, text):
        bar = comfy.utils.ProgressBar(1000)
        while not Path(text).exists():
            bar.update_absolute(777)
            time.sleep(0.0005)


class TestBusy(_Node):
    """Keeps the engine to itself until the file exists."""

    def run(self, text):
        while not Path(text).exists():
            time.sleep(0.005)
        return (text,)


class TestServerLoop(_Node):
    """Has the server's loop run a coroutine and waits for it."""

    def run(self, text):
        async def answer():
            return text

        return (asyncio.run_coroutine_threadsafe(answer(), PromptServer.instance.loop).result(30),)


class TestCountModels(_Node):
    """How many diffusion models are alive."""

    @classmethod
    def IS_CHANGED(cls, text):
        return float("nan")

    def run(self, text):
        gc.collect()
        return (str(sum(isinstance(thing, BaseModel) for thing in gc.get_objects())),)


class TestOutOfMemory(_Node):
    def run(self, text):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


class TestDiskFull(_Node):
    def run(self, text):
        raise OSError(errno.ENOSPC, "No space left on device", "picture.png")


class TestSegfault(_Node):
    def run(self, text):
        ctypes.string_at(0)


class TestHang(_Node):
    """Never returns, and never asks whether it was interrupted; says through a file that it has begun."""

    def run(self, text):
        Path(text).touch()
        time.sleep(10_000)


class TestWait(_Node):
    """Async: returns once the file exists."""

    async def run(self, text):
        while not Path(text).exists():
            await asyncio.sleep(0.005)
        return (text,)


class TestRandom(_Node):
    """Draws from torch's default generator across an await, so that a foreign draw in between would show."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"seed": ("INT", {"default": 0}), "count": ("INT", {"default": 20})}}

    async def run(self, seed, count):
        torch.manual_seed(seed)
        drawn = []
        for _ in range(count):
            drawn.append(float(torch.rand(())))
            await asyncio.sleep(0.001)
        return (repr(drawn),)


class TestCount(_Node):
    """Counts its executions in a file; re-runs when IS_CHANGED differs."""

    @classmethod
    def IS_CHANGED(cls, text):
        return os.environ.get("TEST_CHANGED", "") if text != "always" else float("nan")

    def run(self, text):
        return (text,)


class TestExpand(_Node):
    """Expands into two echoes of which one feeds the other."""

    def run(self, text):
        graph = GraphBuilder()
        first = graph.node("TestEcho", text=text + "!")
        second = graph.node("TestEcho", text=first.out(0))
        return {"result": (second.out(0),), "expand": graph.finalize()}


class TestExpandToSink(_Node):
    """Expands into an output node."""

    OUTPUT_NODE = True

    def run(self, text):
        graph = GraphBuilder()
        echo = graph.node("TestEcho", text=text)
        graph.node("TestSink", text=echo.out(0))
        return {"result": (echo.out(0),), "expand": graph.finalize()}


class TestSwitch(_Node):
    """Lazy: evaluates only the side it needs."""

    @classmethod
    def INPUT_TYPES(cls):
        lazy = ("STRING", {"lazy": True, "forceInput": True})
        return {"required": {"side": (["left", "right"],), "left": lazy, "right": lazy}}

    def check_lazy_status(self, side, left=None, right=None):
        return [side]

    def run(self, side, left=None, right=None):
        return (left if side == "left" else right,)


class TestBlock(_Node):
    def run(self, text):
        return (ExecutionBlocker(None),)


class TestBlockLoudly(_Node):
    def run(self, text):
        return (ExecutionBlocker(text),)


class TestList(_Node):
    """One output per word."""

    OUTPUT_IS_LIST = (True,)

    def run(self, text):
        return (text.split(),)


class TestOwnId(_Node):
    """Is told its own id."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {})}, "hidden": {"unique_id": "UNIQUE_ID"}}

    def run(self, text, unique_id):
        return (f"{unique_id}:{text}",)


class _SmallControl(torch.nn.Module):
    """The least that ComfyUI takes for a control model: one residual for the demo model's first block."""

    dtype = torch.float32

    def __init__(self):
        super().__init__()
        self.patches = torch.nn.Conv2d(3, 320, 16, 16, bias=False)
        draw = torch.Generator().manual_seed(5)
        self.patches.weight.data.normal_(0.0, 0.05, generator=draw)

    def forward(self, x, hint, timesteps, context, **kwargs):
        return {"output": [self.patches(hint.float()).flatten(2).transpose(1, 2)]}


class TestControlNet:
    """Loads, so to speak, a ControlNet for the demo model."""

    RETURN_TYPES = ("CONTROL_NET",)
    FUNCTION = "run"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def run(self):
        return (ControlNet(_SmallControl(), load_device=torch.device("cpu"), manual_cast_dtype=torch.float32),)


class TestV3(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="TestV3", category="tests", inputs=[io.String.Input("text")], outputs=[io.String.Output()])

    @classmethod
    def execute(cls, text):
        return io.NodeOutput(text.upper())


class TestWeightAddresses(_Node):
    """Where the weights of the diffusion model are now, and how many of them are patched; ``text`` only makes a run its own."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {}), "model": ("MODEL",)}}

    def run(self, text, model):
        addresses = sorted(weight.data_ptr() for weight in model.model.parameters())
        return (f"{hash(tuple(addresses))} {len(model.backup)}",)


class TestBend:
    """Changes a layer of the loaded model in place, as packs do for pictures without seams, or puts it back."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "run"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": ("MODEL",), "bent": ("BOOLEAN", {"default": True})}}

    def run(self, model, bent):
        layer = next(part for part in model.model.diffusion_model.modules() if isinstance(part, torch.nn.Linear))
        vars(layer).pop("forward", None)
        if bent:
            layer.forward = lambda x: type(layer).forward(layer, x) * 0.5
        return (model,)


class TestPixels(_Node):
    """Images of two sizes' worth of values no model gives: ``text`` is the type, then the number of channels."""

    RETURN_TYPES = ("IMAGE",)

    def run(self, text):
        dtype, channels = text.split()
        draw = torch.Generator().manual_seed(5)
        images = torch.randn(3, 40, 56, int(channels), generator=draw, dtype=torch.float64) * 0.4 + 0.5
        images[0, 0, :6, 0] = torch.tensor([float("nan"), float("inf"), float("-inf"), -0.0, 1.0, 1e-9])
        images[1] = (torch.arange(256).repeat(9)[: 40 * 56].reshape(40, 56, 1) / 255).expand(-1, -1, int(channels))
        return (images.to(getattr(torch, dtype)),)


class TestSaveAsComfyUI(SaveImage):
    """A node pack's own, which therefore saves by ComfyUI's code."""


class TestHoldWrites(_Node):
    """Keeps every thread that writes files waiting until a file exists; the node itself does not wait."""

    def run(self, text):
        from comfyd.worker.outputs import writes

        for _ in range(writes._pool._max_workers):
            writes._pool.submit(_wait_for, text)
        return (text,)


def _wait_for(path):
    while not Path(path).exists():
        time.sleep(0.001)


NODE_CLASS_MAPPINGS = {name: thing for name, thing in list(globals().items()) if name.startswith("Test")}
