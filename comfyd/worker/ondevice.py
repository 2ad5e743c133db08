"""Latents and pictures on their way from a sampler through a decoder to a file stay on the GPU.

ComfyUI copies the result of each of these nodes to RAM, and the next node waits for it, while the GPU has nothing to do. Here a
decoder is handed the latents and the saving of files the picture where they were made. Every other node is given what ComfyUI
gives it, in RAM, and once the engine is idle that is where the results are kept. Elementwise arithmetic (the decoder's last
steps, eight bits) is the same to the bit on both.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

import comfy.model_management
import comfy.sd
import nodes
import torch
from comfy_execution.graph import ExecutionList

from .cache import Store
from .sizes import Weight

_MAKERS = ("KSampler", "KSamplerAdvanced", "VAEDecode")
_TAKERS = ("VAEDecode", "SaveImage", "PreviewImage")
_HOLDERS = {*_MAKERS, *_TAKERS}
"""Those that save hand the pictures on."""
_LIMIT = 128 * 1024**2  # bytes of pixels; larger ones are better off in RAM, and decoded in tiles where memory is short
_local = threading.local()
_TILED = ("decode_tiled_", "decode_tiled_1d", "decode_tiled_3d", "_decode_tiled_owned")
_own: dict[str, Any] = {name: getattr(nodes, name) for name in _HOLDERS}
_installed = False


def install() -> None:
    """Wraps the engine's question where results go, and the decoder, on a GPU whose results go to RAM."""
    global _installed
    device, usual = comfy.model_management.get_torch_device(), comfy.model_management.intermediate_device
    if device.type != "cuda" or usual().type != "cpu":
        return
    comfy.model_management.intermediate_device = lambda: device if _making() else usual()
    comfy.sd.VAE.decode = _on_its_device(comfy.sd.VAE.decode)
    for name in _TILED:
        setattr(comfy.sd.VAE, name, _in_ram(getattr(comfy.sd.VAE, name)))
    _installed = True


class Times:
    """What a job's nodes take on the device that have ended for the host before."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[torch.cuda.Event, torch.cuda.Event]] = {}

    def begin(self, node_id: str, class_def: Any) -> None:
        """A node begins in the thread of its job; where its result may stay on the device it does."""
        self.end()
        if _installed and any(class_def is _own[name] for name in _MAKERS):
            _local.making = node_id
            self._nodes[node_id] = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            self._nodes[node_id][0].record()

    def end(self) -> None:
        """It has ended, in whatever way."""
        if node_id := _making():
            self._nodes[node_id][1].record()
            _local.making = ""

    def read(self) -> dict[str, float]:
        """Seconds by node."""
        ended = {node_id: times for node_id, times in self._nodes.items() if all(time.query() for time in times)}
        return {node_id: start.elapsed_time(stop) / 1000 for node_id, (start, stop) in ended.items()}


def _making() -> str:
    """The node that executes in this thread, if its result stays on the device."""
    return str(getattr(_local, "making", ""))


def _on_its_device(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def decode(self: Any, samples_in: Any, *args: Any, **kwargs: Any) -> Any:
        usual = self.output_device
        if not (_making() and usual.type == "cpu" and self.device.type == "cuda" and _is_small(self, samples_in)):
            return original(self, samples_in, *args, **kwargs)
        self.output_device, _local.usual = self.device, usual
        try:
            return original(self, samples_in, *args, **kwargs)
        finally:
            self.output_device, _local.usual = usual, None

    return decode


def _in_ram(original: Callable[..., Any]) -> Callable[..., Any]:
    """Decoding in tiles, where memory fell short: how tiles are put together would depend on the device."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.output_device = getattr(_local, "usual", None) or self.output_device
        return original(self, *args, **kwargs)

    return method


def _is_small(vae: Any, latents: torch.Tensor) -> bool:
    """Whether they are latents of pictures, few enough."""
    if latents.dim() != 4 or vae.latent_dim != 2:
        return False
    batch, _, height, width = latents.shape
    return bool(batch * height * width * vae.spacial_compression_decode() ** 2 * 3 * 4 <= _LIMIT)


class Todo(ExecutionList):  # type: ignore[misc]
    """ComfyUI's list of what is to execute; inputs are on the device only for nodes that take them there."""

    def get_cache(self, from_node_id: str, to_node_id: str) -> Any:
        value = super().get_cache(from_node_id, to_node_id)
        if not _installed or value is None or self._class(from_node_id) not in _HOLDERS or self._takes(to_node_id):
            return value
        to_ram(value)
        return value

    def _class(self, node_id: str) -> str:
        return str(self.dynprompt.get_node(node_id)["class_type"])

    def _takes(self, node_id: str) -> bool:
        name = self._class(node_id)
        return name in _TAKERS and nodes.NODE_CLASS_MAPPINGS[name] is _own[name]


def to_ram(cached: Any) -> None:
    """Moves the tensors of a result, for all who hold it."""
    for values in cached.outputs:
        values[:] = [_moved(value) for value in values]


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _moved(item) for name, item in value.items()}
    if isinstance(value, torch.Tensor) or getattr(value, "is_nested", False):
        return value.to("cpu")
    return value


def settle(store: Store, until: Callable[[], bool]) -> None:
    """Moves results of the store to RAM, those of the store's first entries first."""
    for entry in [entry for entry in store if entry.vram and entry.class_type in _HOLDERS] if _installed else []:
        if until():
            return
        to_ram(entry.value)
        weight = Weight(entry.value.outputs)
        store.weigh(entry, ram=weight.ram, vram=weight.vram)
