"""Attention by the quickest of the GPU's kernels for each shape: measured at the first call, remembered on disk."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from comfyd.whole import put

_ops = torch.ops.aten
KERNELS: dict[str, Callable[..., Any]] = {
    "flash": lambda q, k, v: _ops._scaled_dot_product_flash_attention(q, k, v, 0.0, False, False)[0],
    "cudnn": lambda q, k, v: _ops._scaled_dot_product_cudnn_attention(q, k, v, None, False, 0.0, False, False)[0],
    "plain": torch.nn.functional.scaled_dot_product_attention,
    "efficient": lambda q, k, v: _ops._scaled_dot_product_efficient_attention(q, k, v, None, False)[0],
}
_WARM, _TIMED = 3, 10
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

    def text(self) -> str:
        return f"{self.batch}x{self.heads}x{self.queries}x{self.keys}x{self.width} {self.dtype}"


def attend(function: Any, q: Any, k: Any, v: Any, heads: int, mask: Any = None, **options: Any) -> Any:
    """ComfyUI's ``optimized_attention_override`` for compiled blocks; ``function`` is what would run without it."""
    parted = options.get("skip_reshape", False)
    shape = _shape(q, k, heads, parted)
    kernel = _kernel(*shape) if q.is_cuda else "plain"
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
        if q.is_cuda:
            self.seen.add(_shape(q, k, heads, options.get("skip_reshape", False)))
        return function(q, k, v, heads, *args, **options)


def choose(shapes: set[Shape], file: Path) -> None:
    """Sees to it that each shape has its kernel: as the file says for this GPU and torch, else by measurement."""
    new = shapes - _chosen.keys()
    if not new:
        return
    known = _read(file)
    mine: dict[str, str] = known.setdefault(f"{torch.cuda.get_device_name()}, torch {torch.__version__}", {})
    measured = {shape.text(): _quickest(shape) for shape in sorted(new) if mine.get(shape.text()) not in ("", *KERNELS)}
    mine |= measured
    _chosen.update({shape: mine[shape.text()] for shape in new})
    if measured:
        _write(file, known)


def _shape(q: Any, k: Any, heads: int, parted: bool) -> Shape:
    if parted:
        return Shape(q.shape[0], heads, q.shape[2], k.shape[2], q.shape[3], str(q.dtype))
    return Shape(q.shape[0], heads, q.shape[1], k.shape[1], q.shape[2] // heads, str(q.dtype))


def _kernel(*shape: Any) -> str:
    return _chosen.get(Shape(*shape), "")


def tell_compiler() -> None:
    """A shape's kernel never changes; said late, because it imports the compiler, which takes most of a second."""
    torch.compiler.assume_constant_result(_kernel)


def _quickest(shape: Shape) -> str:
    dtype = getattr(torch, shape.dtype.removeprefix("torch."))
    sizes = (shape.queries, shape.keys, shape.keys)
    q, k, v = (torch.randn(shape.batch, n, shape.heads, shape.width, dtype=dtype, device="cuda").transpose(1, 2) for n in sizes)
    times = {name: seconds for name, kernel in KERNELS.items() if (seconds := _timed(kernel, q, k, v)) is not None}
    best = min(times, key=lambda name: times[name], default="")
    told = ", ".join(f"{name} {seconds * 1000:.0f} us" for name, seconds in times.items())
    logging.info("comfyd: attention %s by %s (%s)", shape.text(), best or "torch's own choice", told)
    return best


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
