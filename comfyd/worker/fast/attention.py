"""Attention by the quickest of the device's kernels for each shape: measured at the first call, remembered on disk."""

import json
import logging
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from comfyd.whole import put


def _product(q: Any, k: Any, v: Any) -> Any:
    return torch.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1), -1) @ v


_ops = torch.ops.aten
_GPU: dict[str, Callable[..., Any]] = {
    "flash": lambda q, k, v: _ops._scaled_dot_product_flash_attention(q, k, v, 0.0, False, False)[0],
    "cudnn": lambda q, k, v: _ops._scaled_dot_product_cudnn_attention(q, k, v, None, False, 0.0, False, False)[0],
    "plain": torch.nn.functional.scaled_dot_product_attention,
    "efficient": lambda q, k, v: _ops._scaled_dot_product_efficient_attention(q, k, v, None, False)[0],
}
_CPU: dict[str, Callable[..., Any]] = {
    "plain": torch.nn.functional.scaled_dot_product_attention,
    "product": _product,  # where torch's blocks are larger than the work
}
KERNELS = _GPU | _CPU
_WARM, _TIMED = 3, 10
_PRODUCT = 64 * 1024**2
"""Bytes of attention weights up to which they may all be in memory at once."""
_WAIT = 20_000_000
"""Cycles of the GPU, about ten milliseconds."""
_chosen: dict["Shape", str] = {}


class Shape(NamedTuple):
    """What the choice of a kernel depends on."""

    batch: int
    heads: int
    queries: int
    keys: int
    width: int
    dtype: str
    device: str = "cuda"

    def text(self) -> str:
        return f"{self.batch}x{self.heads}x{self.queries}x{self.keys}x{self.width} {self.dtype}"


def attend(function: Any, q: Any, k: Any, v: Any, heads: int, mask: Any = None, **options: Any) -> Any:
    """ComfyUI's ``optimized_attention_override`` for compiled blocks; ``function`` is what would run without it."""
    parted = options.get("skip_reshape", False)
    shape = _shape(q, k, heads, parted)
    kernel = _kernel(*shape)
    if kernel == "" or mask is not None or "scale" in options or "enable_gqa" in options:
        return function(q, k, v, heads, mask=mask, **options)
    if not parted:
        q, k, v = (t.view(shape.batch, -1, heads, shape.width).transpose(1, 2) for t in (q, k, v))
    out = KERNELS[kernel](q, k, v)
    return out if options.get("skip_output_reshape", False) else out.transpose(1, 2).reshape(shape.batch, -1, heads * shape.width)


class Shapes:
    """An override that only notes the shapes that pass."""

    def __init__(self) -> None:
        self.seen: set[Shape] = set()

    def __call__(self, function: Any, q: Any, k: Any, v: Any, heads: int, *args: Any, **options: Any) -> Any:
        self.seen.add(_shape(q, k, heads, options.get("skip_reshape", False)))
        return function(q, k, v, heads, *args, **options)


def choose(shapes: set[Shape], file: Path) -> None:
    """Sees to it that each shape has its kernel: as the file says for its device and torch, else by measurement."""
    for device in ("cuda", "cpu"):
        if new := {shape for shape in shapes - _chosen.keys() if shape.device == device}:
            _choose(new, _device_name(device), file)


def _choose(new: set[Shape], device: str, file: Path) -> None:
    known = _read(file)
    mine: dict[str, str] = known.setdefault(f"{device}, torch {torch.__version__}", {})
    measured = {shape.text(): _quickest(shape) for shape in sorted(new) if mine.get(shape.text()) not in ("", *KERNELS)}
    mine |= measured
    _chosen.update({shape: mine[shape.text()] for shape in new})
    if measured:
        _write(file, known)


def _shape(q: Any, k: Any, heads: int, parted: bool) -> Shape:
    if parted:
        return Shape(q.shape[0], heads, q.shape[2], k.shape[2], q.shape[3], str(q.dtype), q.device.type)
    return Shape(q.shape[0], heads, q.shape[1], k.shape[1], q.shape[2] // heads, str(q.dtype), q.device.type)


def _kernel(*shape: Any) -> str:
    return _chosen.get(Shape(*shape), "" if Shape(*shape).device == "cuda" else "plain")


def tell_compiler() -> None:
    """A shape's kernel never changes; said late, because it imports the compiler, which takes most of a second."""
    torch.compiler.assume_constant_result(_kernel)


def _device_name(device: str) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    return f"{torch.backends.cpu.get_cpu_capability()} {platform.machine()}, {torch.get_num_threads()} threads"


def _quickest(shape: Shape) -> str:
    kernels = _kernels(shape)
    if len(kernels) == 1:
        return next(iter(kernels))
    dtype = getattr(torch, shape.dtype.removeprefix("torch."))
    sizes = (shape.queries, shape.keys, shape.keys)
    q, k, v = (
        torch.randn(shape.batch, n, shape.heads, shape.width, dtype=dtype, device=shape.device).transpose(1, 2) for n in sizes
    )
    timed = _timed if q.is_cuda else _timed_on_cpu
    times = {name: seconds for name, kernel in kernels.items() if (seconds := timed(kernel, q, k, v)) is not None}
    best = min(times, key=lambda name: times[name], default="")
    told = ", ".join(f"{name} {seconds * 1000:.0f} us" for name, seconds in times.items())
    logging.info("comfyd: attention %s by %s (%s)", shape.text(), best or "torch's own choice", told)
    return best


def _kernels(shape: Shape) -> dict[str, Callable[..., Any]]:
    if shape.device == "cuda":
        return _GPU
    weights = shape.batch * shape.heads * shape.queries * shape.keys * 4
    return {name: kernel for name, kernel in _CPU.items() if kernel is not _product or weights <= _PRODUCT}


def _timed(kernel: Callable[..., Any], q: Any, k: Any, v: Any) -> float | None:
    """Milliseconds of one call; None where the kernel does not take such a shape."""
    try:
        for _ in range(_WARM):
            kernel(q, k, v)
    except RuntimeError:
        return None
    begun, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    # The GPU waits until all calls are queued: the host, which takes longer than a short kernel, is not what is measured.
    torch.cuda._sleep(_WAIT)
    begun.record()
    for _ in range(_TIMED):
        kernel(q, k, v)
    ended.record()
    ended.synchronize()
    return float(begun.elapsed_time(ended)) / _TIMED


def _timed_on_cpu(kernel: Callable[..., Any], q: Any, k: Any, v: Any) -> float:
    """Milliseconds of the quickest of some calls: other programs make single ones longer."""
    times = []
    for _ in range(_WARM + _TIMED):
        begun = time.perf_counter()
        kernel(q, k, v)
        times.append(time.perf_counter() - begun)
    return min(times) * 1000


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads(file.read_text())
        return known if isinstance(known, dict) else {}
    except (OSError, ValueError):
        return {}


def _write(file: Path, known: dict[str, dict[str, str]]) -> None:
    try:
        put(file, json.dumps(known, indent=1).encode())
    except OSError as error:
        logging.warning("comfyd: the choice of attention kernels is not kept: %s", error)
