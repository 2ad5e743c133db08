"""The diffusion transformer: ComfyUI's MMDiT as its state dict names it, written for training at 128 x 128."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from comfyd.demo import layout, text_encoder

HIDDEN, DEPTH, WORDS = layout.HIDDEN, layout.DEPTH, text_encoder.WORDS


def sines(positions: torch.Tensor) -> torch.Tensor:
    """(N, HIDDEN / 2) of one coordinate."""
    quarter = HIDDEN // 4
    omega = 1 / 10000 ** (torch.arange(quarter, dtype=torch.float32) / quarter)
    angles = positions[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)


def position_embedding(size: int = 8) -> torch.Tensor:
    steps = torch.linspace(0, 15, size)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    return torch.cat([sines(columns.reshape(-1)), sines(rows.reshape(-1))], 1)


def time_embedding(t: torch.Tensor) -> torch.Tensor:
    frequencies = torch.exp(-math.log(10000) * torch.arange(128, device=t.device) / 128)
    angles = t[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], 1)


def mlp(inputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN))


class Embedder(nn.Module):
    def __init__(self, inputs: int):
        super().__init__()
        self.mlp = mlp(inputs)

    def forward(self, x):
        return self.mlp(x)


class Patches(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Conv2d(16, HIDDEN, 2, 2)

    def forward(self, patches):
        return F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)


class Scale(nn.Module):
    """RMS norm of each head."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(64))

    def forward(self, x):
        return F.rms_norm(x.float(), (64,), self.weight.float(), 1e-6).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, last: bool):
        super().__init__()
        self.qkv = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.ln_q, self.ln_k = Scale(), Scale()
        if not last:
            self.proj = nn.Linear(HIDDEN, HIDDEN)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(2, (3, DEPTH, 64)).permute(2, 0, 3, 1, 4)
        return self.ln_q(q), self.ln_k(k), v


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(HIDDEN, 4 * HIDDEN), nn.Linear(4 * HIDDEN, HIDDEN)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


def modulated(x, shift, scale):
    return F.layer_norm(x, (HIDDEN,), eps=1e-6) * (1 + scale[:, None]) + shift[:, None]


class Stream(nn.Module):
    """Text's or image's half of a block; the last text stream only feeds the attention."""

    def __init__(self, last: bool):
        super().__init__()
        self.attn = Attention(last)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(HIDDEN, (2 if last else 6) * HIDDEN))
        nn.init.zeros_(self.adaLN_modulation[1].weight)
        nn.init.zeros_(self.adaLN_modulation[1].bias)
        if not last:
            self.mlp = Mlp()

    def before(self, x, c):
        shifts = self.adaLN_modulation(c).chunk(2 if not hasattr(self, "mlp") else 6, 1)
        return self.attn(modulated(x, shifts[0], shifts[1])), shifts[2:]

    def after(self, x, attended, shifts):
        gate, shift, scale, gate_mlp = shifts
        x = x + gate[:, None] * self.attn.proj(attended)
        return x + gate_mlp[:, None] * self.mlp(modulated(x, shift, scale))


class Block(nn.Module):
    def __init__(self, last: bool):
        super().__init__()
        self.context_block, self.x_block = Stream(last), Stream(False)
        self.last = last

    def forward(self, context, x, c, bias):
        of_text, text_shifts = self.context_block.before(context, c)
        of_image, image_shifts = self.x_block.before(x, c)
        q, k, v = (torch.cat(pair, 2) for pair in zip(of_text, of_image, strict=True))
        weights = (q @ k.transpose(2, 3)).float() * 0.125 + bias[:, None, None]
        attended = (weights.softmax(3).to(v.dtype) @ v).transpose(1, 2).flatten(2)
        tokens = context.shape[1]
        if not self.last:
            context = self.context_block.after(context, attended[:, :tokens], text_shifts)
        return context, self.x_block.after(x, attended[:, tokens:], image_shifts)


class Final(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(HIDDEN, 64)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(HIDDEN, 2 * HIDDEN))
        for part in (self.linear, self.adaLN_modulation[1]):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)

    def forward(self, x, c):
        return self.linear(modulated(x, *self.adaLN_modulation(c).chunk(2, 1)))


class Transformer(nn.Module):
    """Predicts the velocity, noise minus picture, of patches (N, 64, 64), each (channel, row, column), at sigmas (N)."""

    def __init__(self):
        super().__init__()
        self.x_embedder = Patches()
        self.t_embedder, self.y_embedder = Embedder(256), Embedder(WORDS)
        self.context_embedder = nn.Linear(WORDS, HIDDEN)
        self.joint_blocks = nn.ModuleList(Block(i == DEPTH - 1) for i in range(DEPTH))
        self.final_layer = Final()
        self.register_buffer("positions", position_embedding(), persistent=False)

    def forward(self, patches, sigmas, context, pooled, bias):
        x = self.x_embedder(patches) + self.positions
        c = self.t_embedder(time_embedding(sigmas * 1000)) + self.y_embedder(pooled)
        text = self.context_embedder(context)
        bias = F.pad(bias, (0, x.shape[1]))
        for block in self.joint_blocks:
            text, x = block(text, x, c, bias)
        return self.final_layer(x, c).unflatten(2, (2, 2, 16)).permute(0, 1, 4, 2, 3).flatten(2)
