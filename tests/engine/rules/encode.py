"""Run as a process: which encodes of a small text encoder are made, and which are had from those before.

``python -m tests.engine.rules.encode COMFYUI`` prints what it found as JSON.
"""

import functools
import json
from collections.abc import Callable
from typing import Any

from .merge import WIDE, lora, patcher, text_encoder  # which puts ComfyUI on the path

# isort: split
import comfy.clip_model
import comfy.hooks
import torch
from comfy.sd import CLIP

from comfyd.worker import encodes
from comfyd.worker.graphs import weights

TEXT = [[(8, 1.0), (1, 1.0), (2, 1.0), (9, 1.0)] + [(9, 1.0)] * 73]
OTHER = [[(8, 1.0), (2, 1.0), (1, 1.0), (9, 1.0)] + [(9, 1.0)] * 73]


class Calls:
    """Counts what reaches the transformer."""

    def __init__(self) -> None:
        self.count = 0
        original = comfy.clip_model.CLIPTextModel.forward

        @functools.wraps(original)
        def forward(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return original(*args, **kwargs)

        comfy.clip_model.CLIPTextModel.forward = forward

    def of(self, action: Callable[[], Any]) -> int:
        before = self.count
        action()
        return self.count - before


def clip() -> CLIP:
    made = CLIP(no_init=True)
    made.cond_stage_model = text_encoder()
    made.patcher = patcher(made.cond_stage_model, is_clip=True)
    made.tokenizer, made.layer_idx, made.tokenizer_options = None, None, {}
    made.use_clip_schedule, made.apply_hooks_to_conds = False, None
    return made


def main() -> dict[str, Any]:
    stock, calls = CLIP.encode_from_tokens, Calls()
    encodes.install()
    plain = clip()
    found = {"first": calls.of(lambda: plain.encode_from_tokens_scheduled(TEXT))}
    found["with a size"] = calls.of(lambda: plain.clone().encode_from_tokens_scheduled(TEXT, add_dict={"width": 64}))
    found["in another form"] = calls.of(lambda: plain.encode_from_tokens(TEXT, return_pooled=True))
    found["other text"] = calls.of(lambda: plain.encode_from_tokens_scheduled(OTHER))
    found["other weight"] = calls.of(lambda: plain.encode_from_tokens_scheduled([[(8, 1.0), (1, 1.2), *TEXT[0][2:]]]))
    found["unprojected"] = calls.of(lambda: plain.encode_from_tokens_scheduled(TEXT, unprojected=True))
    found["other layer"] = calls.of(lambda: layered(plain).encode_from_tokens_scheduled(TEXT))
    found["other model"] = calls.of(lambda: clip().encode_from_tokens_scheduled(TEXT))
    found |= embedded(plain, calls) | patched(plain, calls)
    changed = plain.encode_from_tokens(TEXT)
    changed.zero_()
    pairs = zip(plain.encode_from_tokens(TEXT, return_pooled=True), stock(plain, TEXT, return_pooled=True), strict=True)
    found["as stock"] = torch.equal(plain.encode_from_tokens(TEXT), stock(plain, TEXT)) and all(map(_equal, pairs))
    encodes.encodes.clear()
    found["cleared"] = calls.of(lambda: plain.encode_from_tokens(TEXT))
    return found | bounded()


def _equal(pair: tuple[torch.Tensor, torch.Tensor]) -> bool:
    return torch.equal(*pair)


def layered(plain: CLIP) -> CLIP:
    other = plain.clone()
    other.clip_layer(-1)
    return other


def embedded(plain: CLIP, calls: Calls) -> dict[str, Any]:
    def tokens(value: float) -> Any:
        return [[(8, 1.0), (torch.full((128,), value), 1.0), *TEXT[0][2:]]]

    return {
        f"embedding {number}": calls.of(lambda v=value: plain.encode_from_tokens(tokens(v)))
        for number, value in enumerate((0.0, 0.0, 1.0))
    } | {"scalar": encodes._content(torch.tensor(1.0)) != encodes._content(torch.tensor(2.0))}


def patched(plain: CLIP, calls: Calls) -> dict[str, Any]:
    found = {}
    changed = plain.clone()
    changed.add_patches(lora(WIDE, 256, 128))
    found["LoRA"] = calls.of(lambda: changed.encode_from_tokens(TEXT))
    found["LoRA again"] = calls.of(lambda: changed.clone().encode_from_tokens(TEXT))
    hooked = plain.clone()
    hooked.apply_hooks_to_conds = comfy.hooks.HookGroup()
    hooked.apply_hooks_to_conds.add(comfy.hooks.Hook())
    layer = plain.cond_stage_model.transformer.text_projection
    found["with hooks"] = calls.of(lambda: [hooked.encode_from_tokens(TEXT, return_dict=True) for _ in range(2)])
    handle = layer.register_forward_hook(lambda *_: None)
    weights.meddled()
    found["hooked into"] = calls.of(lambda: [plain.encode_from_tokens(TEXT) for _ in range(2)])
    handle.remove()
    weights.meddled()
    layer.forward = functools.partial(layer.forward)
    weights.meddled()
    found["replaced"] = calls.of(lambda: [plain.encode_from_tokens(TEXT) for _ in range(2)])
    del layer.forward
    weights.meddled()
    found["after other code"] = calls.of(lambda: [plain.encode_from_tokens(TEXT) for _ in range(2)])
    return found


def bounded() -> dict[str, Any]:
    kept, model = encodes.Encodes(limit=8192), torch.nn.Linear(1, 1)
    for number in range(4):
        kept.keep(number, model, (torch.zeros(1024), None))
        kept.find(0, model)
    held = [number for number in range(4) if kept.find(number, model) is not None]
    return {"held": held, "of another model": kept.find(0, torch.nn.Linear(1, 1)) is not None}


if __name__ == "__main__":
    with torch.inference_mode():
        print(json.dumps(main()))
