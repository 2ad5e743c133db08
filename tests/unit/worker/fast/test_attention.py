"""The choice of an attention kernel: measured once, remembered on disk per GPU and shape."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from comfyd.worker.fast import attention
from comfyd.worker.fast.attention import Shape, Shapes, attend, choose

SHAPE = Shape(2, 8, 4096, 77, 40, "torch.float16")


@pytest.fixture(autouse=True)
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_chosen", {})
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")


def measuring(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[Shape]:
    """Has measurements come out so; the shapes that were measured."""
    measured: list[Shape] = []

    def quickest(shape: Shape) -> str:
        measured.append(shape)
        return answer

    monkeypatch.setattr(attention, "_quickest", quickest)
    return measured


def test_a_shape_is_measured_once_for_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a" / "attention.json"
    measured = measuring(monkeypatch, "cudnn")
    choose({SHAPE}, file)
    choose({SHAPE}, file)
    monkeypatch.setattr(attention, "_chosen", {})  # another process
    choose({SHAPE}, file)
    assert measured == [SHAPE]
    assert attention._chosen == {SHAPE: "cudnn"}


def test_another_gpu_is_measured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "attention.json"
    measuring(monkeypatch, "flash")
    choose({SHAPE}, file)
    monkeypatch.setattr(attention, "_chosen", {})
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "another GPU")
    measured = measuring(monkeypatch, "efficient")
    choose({SHAPE}, file)
    assert measured == [SHAPE]
    assert {next(iter(shapes.values())) for shapes in json.loads(file.read_text()).values()} == {"flash", "efficient"}


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({f"A GPU, torch {torch.__version__}": {SHAPE.text(): "gone"}})])
def test_a_file_that_says_nothing_usable_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    file = tmp_path / "attention.json"
    file.write_text(text)
    measured = measuring(monkeypatch, "")
    choose({SHAPE}, file)
    assert measured == [SHAPE]
    assert attention._chosen == {SHAPE: ""}


def plain(q: Any, k: Any, v: Any, heads: int, mask: Any = None, skip_reshape: bool = False, **_: Any) -> Any:
    """ComfyUI's attention_pytorch, in short."""
    if not skip_reshape:
        q, k, v = (t.view(t.shape[0], -1, heads, t.shape[2] // heads).transpose(1, 2) for t in (q, k, v))
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return out.transpose(1, 2).reshape(out.shape[0], -1, heads * out.shape[3])


def refusing(*_: Any, **__: Any) -> Any:
    raise AssertionError("not to be called")


@pytest.mark.parametrize("parted", [False, True])
def test_it_is_the_same_attention(parted: bool) -> None:
    sizes = ((2, 4, 16, 8), (2, 4, 7, 8), (2, 4, 7, 8)) if parted else ((2, 16, 32), (2, 7, 32), (2, 7, 32))
    q, k, v = (torch.randn(*size) for size in sizes)
    ours = attend(refusing, q, k, v, 4, skip_reshape=parted, _inside_attn_wrapper=True)
    torch.testing.assert_close(ours, plain(q, k, v, 4, skip_reshape=parted))
    split = attend(refusing, q, k, v, 4, skip_reshape=parted, skip_output_reshape=True)
    torch.testing.assert_close(split.transpose(1, 2).reshape(ours.shape), ours)


@pytest.mark.parametrize("options", [{"mask": torch.zeros(16, 7)}, {"scale": 0.3}, {"enable_gqa": True}])
def test_what_it_does_not_know_is_left_to_the_engine(options: dict[str, Any]) -> None:
    told: list[dict[str, Any]] = []
    engine: Callable[..., str] = lambda q, k, v, heads, **given: told.append(given) or "the engine's"  # noqa: E731
    q, k = torch.randn(2, 16, 32), torch.randn(2, 7, 32)
    assert attend(engine, q, k, k, 4, **options) == "the engine's"
    assert told[0].items() >= options.items()


def test_shapes_on_the_cpu_are_measured_there(tmp_path: Path) -> None:
    shapes, q, file = Shapes(), torch.randn(2, 16, 32), tmp_path / "attention.json"
    torch.testing.assert_close(shapes(plain, q, q, q, 4), plain(q, q, q, 4))
    (shape,) = shapes.seen
    assert shape.device == "cpu"
    choose(shapes.seen, file)
    assert attention._chosen[shape] in attention._CPU
    (device,) = json.loads(file.read_text())
    assert "GPU" not in device


@pytest.mark.parametrize("kernel", sorted(attention._CPU))
def test_every_kernel_of_the_cpu_is_the_same_attention(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    q, k = torch.randn(2, 16, 32), torch.randn(2, 7, 32)
    monkeypatch.setattr(attention, "_chosen", {Shape(2, 4, 16, 7, 8, "torch.float32", "cpu"): kernel})
    torch.testing.assert_close(attend(refusing, q, k, k, 4), plain(q, k, k, 4))


def test_weights_too_large_to_be_at_once_in_memory_never_are() -> None:
    assert attention._quickest(Shape(2, 8, 4096, 4096, 40, "torch.float32", "cpu")) == "plain"
