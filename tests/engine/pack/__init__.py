"""A node pack for the tests: nodes that misbehave, and nodes that use each feature of ComfyUI's execution."""

import asyncio
import ctypes
import errno
import os
import time
from pathlib import Path

import torch
from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder


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


class TestV3(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="TestV3", category="tests", inputs=[io.String.Input("text")], outputs=[io.String.Output()])

    @classmethod
    def execute(cls, text):
        return io.NodeOutput(text.upper())


NODE_CLASS_MAPPINGS = {name: thing for name, thing in list(globals().items()) if name.startswith("Test")}
