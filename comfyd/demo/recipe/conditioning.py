"""What the frozen text encoder gives for a prompt, in closed form, for the tokens that occur in training only.

Equal to the text encoder's output in ComfyUI on the WORDS columns; the padding, equal vectors, stands in fewer copies,
and ``bias`` is what makes attention to them weigh as much as to all of the 77 tokens' padding.
"""

import numpy as np
import torch
import torch.nn.functional as F

from comfyd.demo import text_encoder as frozen

LENGTH = 16
"""Tokens in training: start, at most 13 of the prompt, end, at least one of padding."""


class Conditioning:
    def __init__(self, tokens: np.ndarray, device: str):
        self.used = np.unique(np.concatenate([tokens.ravel(), [frozen.START, frozen.END]]))
        embeddings = frozen.embeddings()[self.used].astype(np.float32)
        values = F.layer_norm(torch.from_numpy(embeddings + self._position()), (frozen.WIDTH,)) @ self._tensor(frozen.values()).T
        outputs = self._tensor(frozen.outputs())[:frozen.WORDS]
        half = frozen.BAG
        self.own = torch.from_numpy(embeddings[:, :frozen.WORDS]).to(device)
        self.bag = (values[:, :half] @ outputs[:, :half].T).to(device)
        self.previous = (values[:, half:] @ outputs[:, half:].T).to(device)
        self.device = device

    @staticmethod
    def _tensor(half: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(half.astype(np.float32))

    @staticmethod
    def _position() -> np.ndarray:
        return frozen.positions()[0].astype(np.float32)

    def indices(self, tokens: np.ndarray) -> torch.Tensor:
        """Rows of the tables for token ids (N, any length), cut to LENGTH."""
        return torch.from_numpy(np.searchsorted(self.used, tokens[:, :LENGTH])).to(self.device)

    def __call__(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Context (N, LENGTH, WORDS), pooled (N, WORDS), bias (N, LENGTH) of table rows (N, LENGTH)."""
        end = len(self.used) - 1
        word = (rows < end - 1)[..., None].float()
        count = word.cumsum(1)
        start = self.bag[end - 1]
        bag = torch.where(count > 0, (self.bag[rows] * word).cumsum(1) / count.clamp(min=1), start)
        before = torch.cat([rows[:, :1], rows[:, :-1]], 1)
        context = self.own[rows] + bag + self.previous[before]
        words = count[:, -1, 0].long()
        ended = context.gather(1, (words + 1)[:, None, None].expand(-1, 1, frozen.WORDS))[:, 0]
        mean = (ended.sum(1, keepdim=True) + 8) / frozen.WIDTH
        variance = (ended.square().sum(1, keepdim=True) + 32) / frozen.WIDTH - mean.square()
        pooled = (ended - mean) * (variance + 1e-5).rsqrt()
        copies = torch.log((75 - words) / (LENGTH - 2 - words).float())
        padding = torch.arange(LENGTH, device=rows.device)[None] >= (words + 2)[:, None]
        return context, pooled, torch.where(padding, copies[:, None], 0.0)
