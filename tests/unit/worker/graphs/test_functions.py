"""Which of torch's functions are answered by the kernels, and when a GroupNorm is written: here by a stand-in on the CPU."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch.nn import functional

from comfyd.worker.graphs import functions
from comfyd.worker.graphs.functions import Functions

CPU = torch.device("cpu")


@dataclass
class FakeNorms:
    """Answers with torch's own and notes what it wrote."""

    wrote: list[str] = field(default_factory=list)

    def moments(self, x: torch.Tensor, groups: int) -> torch.Tensor:
        self.wrote.append("moments")
        return torch.zeros(1)

    def normalise(self, x: Any, found: Any, affine: Any, y: Any, activated: Any = None) -> None:
        groups, weight, bias, eps = affine
        normed = functional.group_norm(x, groups, weight, bias, eps)
        for name, place, value in (("y", y, normed), ("activated", activated, functional.silu(normed))):
            if place is not None:
                self.wrote.append(name)
                place.copy_(value)

    def add(self, y: torch.Tensor, bias: torch.Tensor) -> None:
        self.wrote.append("add")
        y += bias.view(1, -1, 1, 1)


@pytest.fixture
def norms() -> FakeNorms:
    return FakeNorms()


@pytest.fixture
def mode(norms: FakeNorms) -> Functions:
    return Functions(norms, CPU)  # type: ignore[arg-type]


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(2, 64, 16, 16)


@pytest.fixture
def norm() -> torch.nn.GroupNorm:
    made = torch.nn.GroupNorm(32, 64).requires_grad_(False)
    return made.load_state_dict({"weight": torch.randn(64), "bias": torch.randn(64)}) and made


def test_a_silu_that_follows_is_written_along(mode: Functions, norms: FakeNorms, x: torch.Tensor, norm: Any) -> None:
    expected = functional.silu(norm(x))
    with mode:
        got = torch.nn.Sequential(norm, torch.nn.SiLU())(x)
    assert torch.equal(got, expected)
    assert norms.wrote == ["moments", "y", "activated"]


def test_in_place_only_what_silu_gives_is_written(mode: Functions, norms: FakeNorms, x: torch.Tensor, norm: Any) -> None:
    expected = functional.silu(norm(x))
    with mode:
        normed = norm(x)
        got = functional.silu(normed, inplace=True)
    assert got is normed
    assert torch.equal(got, expected)
    assert norms.wrote == ["moments", "activated"]


def test_before_any_other_function_it_is_written_as_it_is(mode: Functions, norms: FakeNorms, x: torch.Tensor, norm: Any) -> None:
    expected = functional.silu(norm(x) * 2), norm(x)
    with mode:
        normed = norm(x)
        got = functional.silu(normed * 2), normed
        assert norms.wrote == ["moments", "y"]
    assert torch.equal(got[0], expected[0])
    assert torch.equal(got[1], expected[1])


def test_what_its_input_becomes_afterwards_does_not_matter(mode: Functions, x: torch.Tensor, norm: Any) -> None:
    expected = norm(x)
    with mode:
        normed = norm(x)
        x.zero_()
    assert torch.equal(normed, expected)


def test_operators_called_by_their_registered_name_see_it_written(mode: Functions, x: torch.Tensor, norm: Any) -> None:
    expected = torch.ops.aten.add(norm(x), 1)
    with mode:
        got = torch.ops.aten.add(norm(x), 1)
    assert torch.equal(got, expected)
    with mode:
        got = torch.ops.aten.add.Tensor(norm(x), 1)
    assert torch.equal(got, expected)


def test_at_the_end_it_is_written(mode: Functions, norms: FakeNorms, x: torch.Tensor, norm: Any) -> None:
    with mode:
        got = norm(x)
    assert norms.wrote == ["moments", "y"]
    assert torch.equal(got, norm(x))


def test_after_an_error_nothing_more_is_written(mode: Functions, norms: FakeNorms, x: torch.Tensor, norm: Any) -> None:
    def function() -> None:
        with mode:
            norm(x)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        function()
    assert norms.wrote == ["moments"]
    with mode:
        torch.relu(x)
    assert norms.wrote == ["moments"]


def test_it_refuses_to_go_on_in_another_stream(
    mode: Functions, x: torch.Tensor, norm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def function() -> None:
        with mode:
            normed = norm(x)
            monkeypatch.setattr(mode, "_stream", lambda: "another")
            functional.silu(normed)

    with pytest.raises(RuntimeError, match="another stream"):
        function()


def test_what_does_not_fit_is_torchs(mode: Functions, norms: FakeNorms, x: torch.Tensor) -> None:
    trained = torch.nn.GroupNorm(32, 64)
    with mode:
        assert trained(x).requires_grad
        functional.group_norm(x, 32)
        functional.group_norm(x.double(), 32)
        with torch.autocast("cpu", torch.bfloat16):
            functional.group_norm(x, 32, x[0, :, 0, 0].contiguous(), x[0, :, 0, 0].contiguous())
    assert norms.wrote == []


@pytest.mark.parametrize("padding", [1, (1, 1)])
def test_a_convolutions_bias_is_added_afterwards(
    mode: Functions, norms: FakeNorms, x: torch.Tensor, padding: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "_by_cudnn", lambda *given, **options: True)
    layer = torch.nn.Conv2d(64, 32, 3, padding=padding).requires_grad_(False)
    expected = functional.conv2d(x, layer.weight, None, padding=padding) + layer.bias.view(1, -1, 1, 1)
    with mode:
        assert torch.equal(layer(x), expected)
    assert norms.wrote == ["add"]
    with mode:
        assert torch.equal(layer(x[..., :5, :5]), functional.conv2d(x[..., :5, :5], layer.weight, layer.bias, padding=padding))


def test_convolutions_by_others_than_cudnn_are_torchs(mode: Functions, norms: FakeNorms, x: torch.Tensor) -> None:
    with mode:
        torch.nn.Conv2d(64, 32, 3, padding="same").requires_grad_(False)(x)
        torch.nn.Conv2d(64, 64, 3, groups=64).requires_grad_(False)(x)
        torch.nn.Conv2d(64, 32, 3).requires_grad_(False)(x)
        torch.nn.Conv2d(64, 32, 3, bias=False).requires_grad_(False)(x)
    assert norms.wrote == []
