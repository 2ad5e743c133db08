"""Draws the pictures of the prompts from the emoji's sprites: placed, tinted, over a background; 128 x 128, RGB, 0 to 1."""

import numpy as np
import torch
import torch.nn.functional as F

SIZES = [120, 100, 76, 60, 56, 44, 40]
TINTS = [(214, 40, 57), (244, 130, 11), (255, 210, 63), (63, 163, 77), (47, 127, 224), (142, 68, 173), (255, 126, 182), (139, 90, 43), (142, 145, 150)]
BACKGROUNDS = [(255, 96, 84), (255, 134, 48), (255, 240, 130), (44, 180, 130), (62, 98, 220), (112, 44, 152), (255, 112, 196), (122, 82, 52),
               (146, 146, 146), (14, 14, 18)]
LUMINANCE = (0.299, 0.587, 0.114)


class Sprites:
    """Every emoji at every size, premultiplied RGBA in half precision, and the exponent that puts its mean luminance at one half."""

    def __init__(self, pictures: np.ndarray, device: str):
        full = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2)
        self.device = device
        self.sizes = [torch.cat([self.shrunk(part, size) for part in full.split(256)]) for size in SIZES]
        small = self.sizes[-1].float()
        mean = self.luminance(small[:, :3]).mean((1, 2)) / small[:, 3].mean((1, 2)).clamp(min=1e-3)
        self.gamma = (np.log(0.5) / mean.clamp(0.05, 0.95).log()).clamp(0.4, 2.5)
        self.tints = torch.tensor(TINTS, device=device) / 255
        self.backgrounds = torch.tensor([*BACKGROUNDS, (255, 255, 255)], device=device) / 255

    @staticmethod
    def shrunk(pictures: torch.Tensor, size: int) -> torch.Tensor:
        return F.interpolate(pictures.float() / 255, size=(size, size), mode="bilinear", antialias=True).half()

    @staticmethod
    def luminance(rgb: torch.Tensor) -> torch.Tensor:
        return sum(weight * rgb[:, i] for i, weight in enumerate(LUMINANCE))

    def tinted(self, sprites: torch.Tensor, emoji: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        """From a dark shade over the colour itself to nearly white, by luminance."""
        alpha = sprites[:, 3:]
        light = (self.luminance(sprites[:, :3] / alpha.clamp(min=1e-3)).clamp(0, 1) ** self.gamma[emoji][:, None, None])[:, None]
        colour = self.tints[tint.clamp(min=0)][:, :, None, None]
        shade = torch.where(light < 0.5, colour * (0.15 + 1.7 * light), colour + (0.95 - colour) * (2 * light - 1))
        return torch.where((tint >= 0)[:, None, None, None], torch.cat([shade * alpha, alpha], 1), sprites)

    def draw(self, placed: torch.Tensor, backgrounds: torch.Tensor) -> torch.Tensor:
        """(N, 3, 128, 128) of placements (N, 5, 5): emoji, size, x, y, tint; and background numbers (N)."""
        placed = placed.to(self.device).long()
        canvas = self.backgrounds[backgrounds.to(self.device).long()][:, :, None, None].repeat(1, 1, 128, 128)
        for slot in range(placed.shape[1]):
            here = placed[:, slot]
            for size, x, y in here[here[:, 0] >= 0][:, 1:4].unique(dim=0).tolist():
                rows = ((here[:, 0] >= 0) & (here[:, 1] == size) & (here[:, 2] == x) & (here[:, 3] == y)).nonzero()[:, 0]
                emoji, tint = here[rows, 0], here[rows, 4]
                sprite = self.tinted(self.sizes[size][emoji].float(), emoji, tint)
                edge = SIZES[size]
                window = canvas[rows, :, y:y + edge, x:x + edge]
                canvas[rows, :, y:y + edge, x:x + edge] = sprite[:, :3] + window * (1 - sprite[:, 3:])
        return canvas.clamp(0, 1)


def all_pictures(sprites: Sprites, placed: np.ndarray, backgrounds: np.ndarray) -> torch.Tensor:
    """(N, 3, 128, 128) uint8 on the device."""
    out = torch.empty(len(placed), 3, 128, 128, dtype=torch.uint8, device=sprites.device)
    for start in range(0, len(placed), 2048):
        part = slice(start, start + 2048)
        out[part] = (sprites.draw(torch.from_numpy(placed[part]), torch.from_numpy(backgrounds[part])) * 255).round().to(torch.uint8)
    return out
