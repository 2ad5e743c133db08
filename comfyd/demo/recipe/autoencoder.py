"""The autoencoder: TAESD's architecture with 16 latent channels under ComfyUI's names, and its training."""

import math
import time

import torch
import torch.nn.functional as F
from torch import nn


def conv(inputs: int, outputs: int, **options) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(conv(64, 64), nn.ReLU(), conv(64, 64), nn.ReLU(), conv(64, 64))

    def forward(self, x):
        return F.relu(self.conv(x) + x)


class Clamp(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


def down() -> list[nn.Module]:
    return [conv(64, 64, stride=2, bias=False), Block(), Block(), Block()]


def up() -> list[nn.Module]:
    return [Block(), Block(), Block(), nn.Upsample(scale_factor=2), conv(64, 64, bias=False)]


class Autoencoder(nn.Module):
    """Pictures (N, 3, H, W) in 0..1 to latents (N, 16, H / 8, W / 8) of unit variance, and back."""

    def __init__(self):
        super().__init__()
        self.taesd_encoder = nn.Sequential(conv(3, 64), Block(), *down(), *down(), *down(), conv(64, 16))
        self.taesd_decoder = nn.Sequential(Clamp(), conv(16, 64), nn.ReLU(), *up(), *up(), *up(), Block(), conv(64, 3))
        for module in self.modules():
            if isinstance(module, Block):
                nn.init.zeros_(module.conv[4].weight)

    def forward(self, pictures, noise):
        latents = self.taesd_encoder(pictures)
        strength = torch.rand(len(latents), 1, 1, 1, device=latents.device) * 0.25
        return latents, self.taesd_decoder(latents + strength * noise)


def loss_of(pictures, latents, decoded):
    """L1 + gradients' L1 + MSE, and a penalty that holds every channel at mean 0 and variance 1."""
    decoded, latents = decoded.float(), latents.float()
    error = decoded - pictures
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    mean, variance = latents.mean((0, 2, 3)), latents.var((0, 2, 3))
    return error.abs().mean() + edges + 4 * error.square().mean() + 0.1 * (mean.square().mean() + (variance - 1).square().mean())


def train(pictures: torch.Tensor, singles: int, seconds: float, log, batch: int = 64) -> Autoencoder:
    """Trains for so long on uint8 pictures, of which the first ``singles`` (one large emoji each) are half of every batch."""
    device = pictures.device
    model = Autoencoder().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.5e-3, betas=(0.9, 0.98), weight_decay=1e-3, fused=device.type == "cuda")
    begin, step, shown = None, 0, 0.0
    while True:
        rows = torch.cat([torch.randint(singles, (batch // 2,)), torch.randint(len(pictures), (batch - batch // 2,))]).to(device)
        x = (pictures[rows].float() / 255).contiguous(memory_format=torch.channels_last)
        noise = torch.randn(batch, 16, 16, 16, device=device)
        with torch.autocast(device.type, torch.bfloat16):
            latents, decoded = model(x, noise)
        loss = loss_of(x, latents, decoded)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        begin = begin or time.monotonic()
        progress = (time.monotonic() - begin) / seconds
        for group in optimizer.param_groups:
            group["lr"] = 1.5e-3 * min(1, (step + 1) / 200) * max(0.0, 0.5 + 0.5 * math.cos(math.pi * min(1, progress)))
        optimizer.step()
        step += 1
        if step % 20 == 0:
            value = loss.item()
            if progress - shown > 0.1:
                shown = progress
                log(f"autoencoder step {step} loss {value:.4f} psnr {psnr(decoded.float(), x):.2f} std {latents.float().std():.3f}")
            if progress >= 1:
                return model


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean over the pictures, in dB."""
    return (-10 * (a.clamp(0, 1) - b).square().mean((1, 2, 3)).clamp(min=1e-10).log10()).mean().item()


@torch.no_grad()
def encode(model: Autoencoder, pictures: torch.Tensor) -> torch.Tensor:
    """(N, 64, 64) half: the 2 x 2 patches of the latents, each as (channel, row, column)."""
    out = torch.empty(len(pictures), 64, 64, dtype=torch.float16, device=pictures.device)
    for start in range(0, len(pictures), 512):
        x = (pictures[start:start + 512].float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(pictures.device.type, torch.bfloat16):
            latents = model.taesd_encoder(x)
        out[start:start + 512] = patches(latents.float()).half()
    return out


def patches(latents: torch.Tensor) -> torch.Tensor:
    return latents.reshape(-1, 16, 8, 2, 8, 2).permute(0, 2, 4, 1, 3, 5).reshape(-1, 64, 64)


def unpatched(rows: torch.Tensor) -> torch.Tensor:
    return rows.reshape(-1, 8, 8, 16, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(-1, 16, 16, 16)
