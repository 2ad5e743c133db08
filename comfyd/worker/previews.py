"""Small pictures of what a sampler is making, for who asked for them; the sampler neither waits for one nor sees any of it.

ComfyUI's own way waits for the device at every step. Here a latent is turned into colours on the device, by the matrix that
ComfyUI knows for its kind, a few times a second; the bytes travel while the sampler goes on, and a thread waits for them.
Where the user has chosen ComfyUI's TAESD (``--preview-method taesd``), its pictures are made instead, as seldom.
"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import latent_preview
import torch
from comfy.cli_args import LatentPreviewMethod, args
from comfy.samplers import CFGGuider

from comfyd.protocol import FromWorker, Preview

from .arrivals import Arrivals
from .job import current_job

if TYPE_CHECKING:
    from .job import JobRun

LATENT = 128
"""Pixels of the longer side."""
_CHANNELS = 3

Emit = Callable[[FromWorker], None]
Callback = Callable[[int, Any, Any, int], object]


def install(emit: Emit) -> None:
    """Wraps ``CFGGuider.sample``, whose callback sees every step, and ComfyUI's own previewers."""
    CFGGuider.sample = _seen(CFGGuider.sample, Latents(emit))
    latent_preview.get_previewer = _on_demand(latent_preview.get_previewer)


def _seen(original: Callable[..., Any], latents: "Latents") -> Callable[..., Any]:
    @functools.wraps(original)
    def sample(
        self: Any,
        noise: Any,
        latent_image: Any,
        sampler: Any,
        sigmas: Any,
        denoise_mask: Any = None,
        callback: Callback | None = None,
        *rest: Any,
        **named: Any,
    ) -> Any:
        job = current_job()
        if job is not None and callback is not None and args.preview_method != LatentPreviewMethod.TAESD:
            callback = _looking(callback, job, latents, self.model_patcher.model.latent_format)
        return original(self, noise, latent_image, sampler, sigmas, denoise_mask, callback, *rest, **named)

    return sample


def _looking(callback: Callback, job: "JobRun", latents: "Latents", kind: Any) -> Callback:
    def looking(step: int, x0: Any, x: Any, total: int) -> object:
        told = callback(step, x0, x, total)
        if job.preview.due():
            latents.show(job, kind, x0, (step + 1, total))
        return told

    return looking


class Latents:
    """Latents as small pictures."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._arrivals = Arrivals(LATENT * LATENT * _CHANNELS)

    def show(self, job: "JobRun", kind: Any, x0: Any, step: tuple[int, int]) -> None:
        """Emits the latent's first picture, at once on a CPU and as soon as it arrives from a GPU."""
        with torch.no_grad():
            pixels = colours(x0, kind)
        if pixels is None:
            return
        height, width, _ = pixels.shape
        described = functools.partial(Preview, job=job.id, node=job.node, value=step[0], max=step[1], width=width, height=height)
        if pixels.device.type == "cpu":
            self._emit(described(data=pixels.numpy().tobytes()))
        else:
            self._arrivals.send(pixels, lambda data: self._emit(described(data=data)))


def colours(x0: Any, kind: Any) -> torch.Tensor | None:
    """Latents of this format as bytes (height, width, 3) on their device; None for sound, and where no matrix is known."""
    x0 = x0.tensors[0] if x0.is_nested else x0
    if kind.latent_rgb_factors is None or x0.device.type not in ("cpu", "cuda"):
        return None
    if kind.latent_rgb_factors_reshape is not None:
        x0 = kind.latent_rgb_factors_reshape(x0)
    latent = x0[0, :, 0] if x0.ndim == 5 else x0[0]
    if latent.ndim != 3 or latent.shape[0] != len(kind.latent_rgb_factors):
        return None
    every = -(-max(latent.shape[1:]) // LATENT)
    weight, bias = _matrix(_frozen(kind.latent_rgb_factors), _frozen([kind.latent_rgb_factors_bias or ()]), latent.device)
    seen = torch.nn.functional.linear(latent[:, ::every, ::every].movedim(0, -1).float(), weight, bias)
    return ((seen + 1.0) / 2.0).clamp(0, 1).mul(0xFF).to(torch.uint8)


Rows = tuple[tuple[float, ...], ...]


def _frozen(rows: Sequence[Sequence[float]]) -> Rows:
    return tuple(tuple(row) for row in rows)


@functools.lru_cache(maxsize=16)
def _matrix(factors: Rows, bias: Rows, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What a latent's channels contribute to a colour, on the device; nothing waits for its way there."""
    weight = _moved(torch.tensor(factors).t().contiguous(), device)
    return weight, _moved(torch.tensor(bias[0]), device) if bias[0] else None


def _moved(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    return values if device.type == "cpu" else values.pin_memory().to(device, non_blocking=True)


# ------------------------------------------------------------ pictures that ComfyUI and its packs make


def _on_demand(original: Callable[..., Any]) -> Callable[..., Any]:
    """In a job ComfyUI has no previewer but TAESD, and that one only works when somebody looks."""

    @functools.wraps(original)
    def get_previewer(device: Any, latent_format: Any) -> Any:
        job = current_job()
        if job is None:
            return original(device, latent_format)
        if args.preview_method != LatentPreviewMethod.TAESD:
            return None
        return _OnDemand(job, lambda: original(device, latent_format))

    return get_previewer


class _OnDemand(latent_preview.LatentPreviewer):  # type: ignore[misc]
    """A previewer that is made, its model loaded, when it is first needed."""

    def __init__(self, job: "JobRun", make: Callable[[], Any]) -> None:
        self._job = job
        self._made = functools.cache(make)

    def decode_latent_to_preview_image(self, preview_format: str, x0: Any) -> Any:
        if not self._job.preview.due():
            return None
        previewer = self._made()
        return previewer.decode_latent_to_preview_image(preview_format, x0) if previewer else None
