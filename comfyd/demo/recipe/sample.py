"""Draws with the trained model outside ComfyUI, as its Euler sampler and simple scheduler do, and measures the pictures."""

import json
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from autoencoder import unpatched
from compose import Sprites

from comfyd.demo import text_encoder

EMPTY = [text_encoder.START] + [text_encoder.END] * 23


def sigmas(steps: int) -> list[float]:
    times = [1 - int(step * 1000 / steps) / 1000 for step in range(steps)] + [0.0]
    return [3 * t / (1 + 2 * t) for t in times]


@torch.no_grad()
def draw(transformer, autoencoder, conditioning, tokens: np.ndarray, steps: int, cfg: float, seed: int = 1) -> torch.Tensor:
    """(N, 3, 128, 128) in 0..1 for token ids (N, any length)."""
    device = conditioning.device
    x = torch.randn(len(tokens), 64, 64, device=device, generator=torch.Generator(device).manual_seed(seed))
    wanted = conditioning(conditioning.indices(tokens))
    empty = conditioning(conditioning.indices(np.array([EMPTY] * len(tokens))))
    levels = sigmas(steps)
    for now, following in zip(levels, levels[1:], strict=False):
        at = torch.full((len(tokens),), now, device=device)
        velocity = transformer(x, at, *wanted)
        if cfg != 1:
            without = transformer(x, at, *empty)
            velocity = without + cfg * (velocity - without)
        x = x + (following - now) * velocity
    return autoencoder.taesd_decoder(unpatched(x)).clamp(0, 1)


def nearest(pictures: torch.Tensor, targets: torch.Tensor, own: torch.Tensor) -> float:
    """Share of pictures to which their own target is the nearest (equal targets count as one)."""
    distance = torch.cdist(pictures.flatten(1).float(), targets.flatten(1).float(), compute_mode="donot_use_mm_for_euclid_dist")
    mine = distance.gather(1, own[:, None].to(distance.device))[:, 0]
    return (mine <= distance.min(1).values + 1e-3).float().mean().item()


def psnr(pictures: torch.Tensor, targets: torch.Tensor) -> float:
    return (-10 * (pictures - targets).square().mean((1, 2, 3)).clamp(min=1e-10).log10()).mean().item()


class Evaluation:
    """200 random labels and 200 held-out compositions, their tokens, texts and pictures."""

    def __init__(self, folder: Path, sprites: Sprites, count: int = 200):
        emoji = json.loads((folder / "emoji.json").read_text())
        held = json.loads((folder / "held-out.json").read_text())[:count]
        emoji = emoji[:len(sprites.sizes[0])]
        self.chosen = random.Random(5).sample(range(len(emoji)), count)
        self.labels = [emoji[i]["label"] for i in self.chosen]
        self.label_tokens = np.load(folder / "labels.npz")["tokens"][self.chosen].astype(np.int64)
        self.compositions = [each["text"] for each in held]
        self.composition_tokens = np.array([each["tokens"] for each in held])
        single = torch.full((len(emoji), 5, 5), -1)
        single[:, 0] = torch.tensor([0, 0, 4, 4, -1])
        single[:, 0, 0] = torch.arange(len(emoji))
        self.all = torch.cat([sprites.draw(part, torch.full((len(part),), -1)) for part in single.split(256)])
        placed = torch.full((len(held), 5, 5), -1)
        for row, each in enumerate(held):
            placed[row, :len(each["picture"][0])] = torch.tensor(each["picture"][0])
        placed[:, :, 0] = placed[:, :, 0].remainder(len(emoji)).where(placed[:, :, 0] >= 0, placed[:, :, 0])
        self.targets = sprites.draw(placed, torch.tensor([each["picture"][1] for each in held]))

    def label_figures(self, pictures: torch.Tensor) -> tuple[float, float]:
        """Top-1 among all emoji and PSNR in dB."""
        own = torch.tensor(self.chosen)
        return nearest(pictures, self.all, own), psnr(pictures, self.all[self.chosen])

    def composition_figures(self, pictures: torch.Tensor) -> tuple[float, float]:
        """Share whose nearest target at 32 x 32 is the right one, and PSNR in dB."""
        small = [F.interpolate(each, size=(32, 32), mode="area") for each in (pictures, self.targets)]
        return nearest(*small, torch.arange(len(pictures))), psnr(pictures, self.targets)
