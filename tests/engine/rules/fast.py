"""Run as a process: what a model's ``forward`` does in fast mode, with a UNet so small that nothing need be compiled.

``python -m tests.engine.rules.fast COMFYUI`` prints what it found as JSON. "Compiled" blocks run as they are, times a factor.
"""

import contextlib
import io
import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["--cpu"]
import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()
import comfy.ops  # noqa: E402
import torch  # noqa: E402
from comfy.ldm.modules.attention import SpatialTransformer  # noqa: E402
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel  # noqa: E402
from comfy.taesd.taesd import TAESD  # noqa: E402

from comfyd.worker.fast import compiled, wiring  # noqa: E402
from comfyd.worker.fast.arithmetic import AS_IT_IS, HALVES, Arithmetic  # noqa: E402
from comfyd.worker.fast.root import Gate, Root, relative  # noqa: E402

_MODEL = Gate(relative, 5e-3)


class Maker:
    """A job."""

    def __init__(self, mode: str = "fast") -> None:
        self.mode = mode
        self.said: list[str] = []

    def fall_back(self) -> None:
        self.mode = "exact"

    def tell(self, doing: str) -> None:
        self.said.append(doing)


def unet() -> torch.nn.Module:
    torch.manual_seed(0)
    sizes = {"model_channels": 32, "num_head_channels": 16, "context_dim": 16, "channel_mult": [1], "num_res_blocks": [1]}
    depths = {"transformer_depth": [1], "transformer_depth_middle": 1, "transformer_depth_output": [1, 1]}
    kinds = {"use_spatial_transformer": True, "legacy": False, "operations": comfy.ops.disable_weight_init, "device": "cpu"}
    made = UNetModel(image_size=32, in_channels=4, out_channels=4, dtype=torch.float32, **sizes, **depths, **kinds)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made


def call(model: torch.nn.Module, rows: int = 8, patches: dict[str, Any] | None = None, control: Any = None) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x, context = torch.randn(2, 4, rows, 8, generator=generator), torch.randn(2, 7, 16, generator=generator)
    options = {"patches": patches} if patches else {}
    result: torch.Tensor = model(x, torch.tensor([5.0, 5.0]), context=context, control=control, transformer_options=options)
    return result


class Blocks:
    """What compiled blocks do: a call is noted, and the results of some kinds are spoiled."""

    factor = 1.0
    spoiled: Any = torch.nn.Module

    def __init__(self) -> None:
        self.calls: list[float] = []

    def function(self, _: torch.nn.Module, kind: Any) -> Any:
        def run(block: Any, args: Any, kwargs: Any) -> Any:
            self.calls.append(self.factor)
            return kind.forward(block, *args, **kwargs) * (self.factor if isinstance(block, self.spoiled) else 1)

        return run


def main() -> dict[str, Any]:
    blocks, exact, maker = Blocks(), call(unet()), Maker()
    compiled._function = blocks.function
    wiring._configure = lambda: None
    wiring.install(Path(tempfile.mkdtemp()), lambda: maker)
    found = kept(blocks, exact, maker)
    found |= patched_first(blocks, exact, maker)
    found |= refused(blocks, exact, maker)
    found |= measured_as_a_decoder(blocks, maker)
    return found | in_coarse_arithmetic(blocks, exact, maker) | tiny_decoder(maker)


def prepared(name: str = "UNet", gate: Gate = _MODEL, arithmetics: tuple[Arithmetic, ...] = (AS_IT_IS,)) -> torch.nn.Module:
    model = unet()
    wiring._root(model, name, gate, arithmetics)
    return model


def kept(blocks: Blocks, exact: torch.Tensor, maker: Maker) -> dict[str, Any]:
    found: dict[str, Any] = {}
    model = prepared()
    found["close"] = relative(exact, call(model))
    found["blocks"] = len(blocks.calls)
    found["said"] = [*maker.said]
    call(model)
    found["said twice"] = [*maker.said]
    call(model, rows=16)
    found["said of another shape"] = [*maker.said]
    blocks.calls.clear()
    maker.mode = "exact"
    found["exact after fast"] = torch.equal(call(model), exact)
    found["put back"] = all(p.is_contiguous() for p in model.parameters())
    found["blocks of an exact job"] = len(blocks.calls)
    maker.mode = "fast"
    call(model, patches={"attn1_patch": [lambda q, k, v, _: (q, k, v)]})
    found["blocks under a patch"] = len(blocks.calls)
    found["reordered for fast again"] = not all(p.is_contiguous() for p in model.parameters())
    found["with residuals"] = relative(call(unet(), control=residuals()), call(as_new(model), control=residuals()))
    found["mode with residuals"] = maker.mode
    return found


def patched_first(blocks: Blocks, exact: torch.Tensor, maker: Maker) -> dict[str, Any]:
    """A model of whose blocks some are far off, and run as they are in its first call."""
    blocks.factor, blocks.spoiled, model = 1.5, SpatialTransformer, prepared()
    blocks.calls.clear()
    call(model, patches={"attn1_output_patch": [lambda n, _: n]})
    found: dict[str, Any] = {"blocks beside patched ones": len(blocks.calls), "mode beside patched ones": maker.mode}
    found["unpatched after patched is exact"] = torch.equal(call(model), exact)
    found["mode of unpatched after patched"] = maker.mode
    return found


def refused(blocks: Blocks, exact: torch.Tensor, maker: Maker) -> dict[str, Any]:
    blocks.factor, blocks.spoiled, model, maker.mode = 1.01, torch.nn.Module, prepared(), "fast"
    found: dict[str, Any] = {"refused is exact": torch.equal(call(model), exact), "mode after it": maker.mode}
    found["contiguous"] = all(p.is_contiguous() for p in model.parameters())
    maker.mode = "fast"
    found["later calls are exact"] = torch.equal(call(model), exact)
    found["mode of later jobs"] = maker.mode
    found["why"] = vars(model)["forward"].refused
    return found


def measured_as_a_decoder(blocks: Blocks, maker: Maker) -> dict[str, Any]:
    """What the log says of one that passes, and why another does not."""
    told = io.StringIO()
    logging.basicConfig(stream=told, level=logging.INFO, format="%(message)s", force=True)
    maker.mode, blocks.factor = "fast", 1.0
    call(prepared("VAE", wiring._DECODER))
    blocks.factor, far = 2.0, prepared("VAE", wiring._DECODER)
    call(far)
    return {"log of a decoder": told.getvalue(), "why no decoder": vars(far)["forward"].refused, "mode of its job": maker.mode}


def in_coarse_arithmetic(blocks: Blocks, exact: torch.Tensor, maker: Maker) -> dict[str, Any]:
    """A model for which there is something quick, which is too far off, and something slower."""

    @contextlib.contextmanager
    def coarse() -> Iterator[None]:
        blocks.factor = 1.5
        try:
            yield
        finally:
            blocks.factor = 1.0

    blocks.factor, blocks.spoiled, maker.mode = 1.0, torch.nn.Module, "fast"
    model = prepared(arithmetics=(Arithmetic("coarsely", coarse), AS_IT_IS))
    found: dict[str, Any] = {"after a coarse try": relative(exact, call(model))}
    blocks.calls.clear()
    found["later calls after it"] = relative(exact, call(model))
    found |= {"factors of later calls": sorted(set(blocks.calls)), "mode after a coarse try": maker.mode}
    model = prepared(arithmetics=(Arithmetic("by what fails", failing), AS_IT_IS))
    found["after a try that failed"] = relative(exact, call(model))
    return found | {"mode after a try that failed": maker.mode}


@contextlib.contextmanager
def failing() -> Iterator[None]:
    raise RuntimeError("there is no such kernel")
    yield


def tiny_decoder(maker: Maker) -> dict[str, Any]:
    """A decoder of which nothing is compiled, in bfloat16."""
    torch.manual_seed(0)
    decoder, x = TAESD(latent_channels=4).taesd_decoder, torch.randn(1, 4, 8, 8)
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.04)
    exact = decoder(x)
    wiring._root(decoder, "VAE", wiring._TAESD, (HALVES,))
    fast, said = decoder(x), [*maker.said]
    found: dict[str, Any] = {"decibels in bfloat16": decibels(exact, fast), "type": str(fast.dtype)}
    found["in bfloat16 as at first"] = torch.equal(decoder(x), fast)
    maker.mode = "exact"
    found["decoded exactly afterwards"] = torch.equal(decoder(x), exact)
    return found | {"said of bfloat16": maker.said[len(said) :]}


def decibels(exact: torch.Tensor, fast: torch.Tensor) -> float:
    return float(-10 * torch.log10((exact - fast).square().mean()))


def residuals() -> dict[str, Any]:
    """What a ControlNet gives; a call takes it off the lists."""
    return {"middle": [torch.full((2, 32, 8, 8), 5.0)], "input": [], "output": []}


def as_new(model: torch.nn.Module) -> torch.nn.Module:
    """The model as one whose next call is its first of that shape."""
    root: Root = vars(model)["forward"]
    root._known.clear()
    return model


with torch.inference_mode():
    print(json.dumps(main()))
