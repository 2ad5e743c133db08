"""Stage 2: trains the autoencoder, then the transformer, for so many seconds; call it again to go on.

    python train.py DATA STATE OUT --autoencoder 110 --seconds 260 --part 0 0.38
    python train.py DATA STATE OUT --seconds 430 --part 0.38 1

STATE keeps everything for going on at once on the same machine; OUT gets what is enough to go on elsewhere (or to
ship): autoencoder.npz and transformer-*.npz, each below 15 MB. ``--part`` says which part of the learning rate's
schedule this call covers. ``--tiny`` is for trying the code on a CPU.
"""

import argparse
import shutil
import time
from pathlib import Path

import autoencoder as taesd
import numpy as np
import torch
from compose import Sprites, all_pictures
from conditioning import LENGTH, Conditioning
from export import load_state, save_state
from optimizer import Optimizer
from sample import EMPTY, Evaluation, draw
from transformer import Transformer

BATCH, RATE, SINGLES = 1024, 1.2e-3, 0.4
TINY = 40
BEGIN = time.monotonic()


def log(text: str) -> None:
    print(f"[{time.monotonic() - BEGIN:6.1f}] {text}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("data", "state", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--autoencoder", type=float, default=0)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--part", type=float, nargs=2, default=(0.0, 1.0))
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args()


class Data:
    """Prompts as rows of the conditioning's tables, and which picture each describes."""

    def __init__(self, folder: Path, device: str, tiny: bool):
        stored = np.load(folder / "prompts.npz")
        tokens, picture = stored["tokens"].astype(np.int64), stored["picture"].astype(np.int64)
        keep = (tokens < 49406).sum(1) <= LENGTH - 3
        singles = int(keep[:int(stored["singles"])].sum())
        if tiny:
            keep[2000:] = False
            singles = 1200
        self.tokens, self.singles = tokens[keep], singles
        self.picture = torch.from_numpy(picture[keep]).to(device)
        self.placed, self.backgrounds = stored["sprites"], stored["backgrounds"]
        self.emoji = 1 + int(self.placed[:, :, 0].max())
        if tiny:
            self.emoji = TINY
            self.placed, self.backgrounds = np.where(self.placed[:200] < 0, -1, self.placed[:200] % np.array([TINY, 99, 999, 999, 99])), self.backgrounds[:200]
            self.picture %= 200


def rate_at(progress: float, step: int) -> float:
    """Constant, then falling linearly over the last 55 %."""
    return RATE * min(1, (step + 1) / 300) * max(0.02, min(1, (1 - progress) / 0.55))


def noise_levels(count: int, device: str) -> torch.Tensor:
    """Logit-normal, shifted to where few-step sampling spends its steps; a fifth uniform, to cover both ends."""
    u = torch.sigmoid(torch.randn(count, device=device))
    shifted = 2 * u / (1 + u)
    v = torch.rand(count, device=device)
    return torch.where(torch.rand(count, device=device) < 0.2, 3 * v / (1 + 2 * v), shifted)


class Run:
    def __init__(self, options: argparse.Namespace, device: str):
        self.options, self.device, self.fast = options, device, device == "cuda"
        self.data = Data(options.data, device, options.tiny)
        evaluation_tokens = [np.load(options.data / "labels.npz")["tokens"].astype(np.int64), np.array([EMPTY])]
        self.sprites = Sprites(np.load(options.data / "pictures.npz")["pictures"][:self.data.emoji], device)
        self.evaluation = Evaluation(options.data, self.sprites, 4 if options.tiny else 200)
        everything = np.concatenate([self.data.tokens, *evaluation_tokens, self.evaluation.composition_tokens])
        self.conditioning = Conditioning(everything, device)
        self.rows = self.conditioning.indices(self.data.tokens)
        self.empty = self.conditioning.indices(np.array([EMPTY]))[0]
        log(f"{len(self.rows)} prompts, {self.data.singles} of them single, {len(self.data.placed)} pictures, {len(self.conditioning.used)} tokens")

    def latents(self) -> None:
        """Trains or loads the autoencoder and encodes every picture."""
        kept = self.options.state / "latents.pt"
        self.autoencoder = taesd.Autoencoder().to(self.device)
        if kept.exists():
            self.autoencoder.load_state_dict(load_state(self.options.state)[1])
            self.patches = torch.load(kept, map_location=self.device)
            return
        pictures = all_pictures(self.sprites, self.data.placed, self.data.backgrounds)
        log("pictures drawn")
        if self.options.autoencoder:
            trained = taesd.train(pictures, self.data.emoji, self.options.autoencoder, log, 64 if self.fast else 2)
            save_state(self.options.state, autoencoder=trained.state_dict())
            shutil.copy(self.options.state / "autoencoder.npz", self.options.out)
        self.autoencoder.load_state_dict(load_state(self.options.state)[1])
        with torch.no_grad():
            x = self.evaluation.all[:512]
            log(f"autoencoder psnr on emoji {taesd.psnr(self.autoencoder.taesd_decoder(self.autoencoder.taesd_encoder(x)), x):.2f}")
        self.patches = taesd.encode(self.autoencoder.to(memory_format=torch.channels_last), pictures)
        log(f"encoded, std {self.patches[:4096].float().std():.3f}")
        torch.save(self.patches, kept)

    def prepare(self) -> None:
        self.model = Transformer().to(self.device)
        self.average = Transformer().to(self.device)
        self.optimizer = Optimizer(self.model, self.fast)
        self.step = 0
        kept = self.options.state / "run.pt"
        if kept.exists():
            state = torch.load(kept, map_location=self.device)
            self.model.load_state_dict(state["model"])
            self.optimizer.load(state["optimizer"])
            self.step = state["step"]
            self.average.load_state_dict(state["average"])
        elif list(self.options.state.glob("transformer-*.npz")):
            self.model.load_state_dict(load_state(self.options.state)[0])
            self.average.load_state_dict(self.model.state_dict())
        else:
            self.average.load_state_dict(self.model.state_dict())
        torch.manual_seed(self.step)
        if self.fast:
            self.condition = torch.compile(self.conditioning.__call__, dynamic=False)
            for block in self.model.joint_blocks:
                block.compile(dynamic=False)
        else:
            self.condition = self.conditioning

    def batch(self, size: int) -> tuple:
        singles, device = self.data.singles, self.device
        single = torch.rand(size, device=device) < SINGLES
        row = torch.where(single, torch.randint(singles, (size,), device=device), torch.randint(singles, len(self.rows), (size,), device=device))
        tokens = torch.where(torch.rand(size, 1, device=device) < 0.1, self.empty, self.rows[row])
        return tokens, self.patches[self.data.picture[row]].float()

    def loss(self, size: int) -> torch.Tensor:
        tokens, clean = self.batch(size)
        context, pooled, bias = self.condition(tokens)
        noise, sigma = torch.randn_like(clean), noise_levels(size, self.device)
        level = sigma[:, None, None]
        with torch.autocast(self.device, torch.bfloat16):
            velocity = self.model(level * noise + (1 - level) * clean, sigma, context, pooled, bias)
        return (velocity.float() - (noise - clean)).square().mean()

    def train(self) -> None:
        size = BATCH if self.fast else 8
        first, last = self.options.part
        begin, mean, shown = None, 0.0, 0.0
        weights, averages = list(self.model.parameters()), list(self.average.parameters())
        start = self.step
        while True:
            loss = self.loss(size)
            loss.backward()
            begin = begin or time.monotonic()
            done = min(1.0, (time.monotonic() - begin) / self.options.seconds)
            self.optimizer.step(rate_at(first + (last - first) * done, self.step))
            self.model.zero_grad(set_to_none=True)
            self.step += 1
            with torch.no_grad():
                torch._foreach_lerp_(averages, weights, 1 - min(0.998, self.step / (self.step + 10)))
            mean = mean + (loss.detach() - mean) * (0.01 if self.step - start > 100 else 0.1)
            if self.step % 20 == 0:
                torch.cuda.synchronize() if self.fast else None
                if done - shown > 0.05 or self.step - start == 100:
                    shown = done
                    log(f"step {self.step} {(self.step - start) / max(time.monotonic() - begin, 1e-9):.1f}/s loss {float(mean):.4f}")
                    if not np.isfinite(float(mean)):
                        raise SystemExit("the loss is not finite")
                if done >= 1:
                    return

    def save(self) -> None:
        save_state(self.options.state, transformer=self.average.state_dict())
        for path in self.options.state.glob("*.npz"):
            shutil.copy(path, self.options.out)
        torch.save({"model": self.model.state_dict(), "average": self.average.state_dict(), "optimizer": self.optimizer.state(),
                    "step": self.step}, self.options.state / "run.pt")
        log("saved")

    def evaluate(self) -> None:
        model = Transformer().to(self.device)
        model.load_state_dict(load_state(self.options.state)[0])
        for steps, cfg in ((8, 2.0),) if self.options.tiny else ((8, 1.0), (8, 1.5), (8, 2.0), (8, 3.0), (12, 2.0), (6, 2.0)):
            labels = draw(model, self.autoencoder, self.conditioning, self.evaluation.label_tokens, steps, cfg)
            compositions = draw(model, self.autoencoder, self.conditioning, self.evaluation.composition_tokens, steps, cfg)
            (top, decibels), (near, of_near) = self.evaluation.label_figures(labels), self.evaluation.composition_figures(compositions)
            log(f"{steps} steps cfg {cfg}: labels top-1 {top:.3f} {decibels:.2f} dB; compositions {near:.3f} {of_near:.2f} dB")


def main() -> None:
    options = arguments()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    for folder in (options.state, options.out):
        folder.mkdir(parents=True, exist_ok=True)
    run = Run(options, device)
    run.latents()
    run.prepare()
    run.train()
    run.save()
    run.evaluate()


if __name__ == "__main__":
    main()
