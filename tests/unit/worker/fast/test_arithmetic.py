"""What fast calls on a CPU are made in, and that it ends with them."""

import pytest
import torch

from comfyd.worker.fast import arithmetic
from comfyd.worker.fast.arithmetic import AS_IT_IS, HALVES, ONEDNN, Arithmetic, for_decoder, for_model


def multiply(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x @ y


@pytest.mark.parametrize("kind", [AS_IT_IS, ONEDNN, HALVES])
def test_a_result_has_the_type_of_what_was_given_and_is_close(kind: Arithmetic) -> None:
    x = torch.randn(16, 16)
    result = kind.call(multiply, (x, x), {})
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, x @ x, rtol=0.05, atol=0.2)


def precision() -> object:
    products = getattr(torch.backends.mkldnn, "matmul", None)
    return products and products.fp32_precision


@pytest.mark.parametrize("kind", [ONEDNN, HALVES])
def test_nothing_of_it_stays_when_a_call_fails(kind: Arithmetic) -> None:
    before = precision()
    with pytest.raises(ZeroDivisionError):
        kind.call(lambda x: 1 / 0, (torch.zeros(1),), {})
    assert precision() == before
    assert not torch.is_autocast_enabled("cpu")


def test_a_torch_that_cannot_choose_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends, "mkldnn", object())
    assert float(ONEDNN.call(multiply, (torch.ones(1, 1), torch.ones(1, 1)), {})) == 1


def test_gpus_keep_their_arithmetic() -> None:
    assert for_model("cuda") == for_decoder("cuda") == (AS_IT_IS,)


def test_decoders_are_tried_in_bfloat16_where_the_cpu_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "_multiplies_halves", lambda: True)
    assert for_decoder("cpu") == (HALVES, ONEDNN)
    monkeypatch.setattr(arithmetic, "_multiplies_halves", lambda: False)
    assert for_decoder("cpu") == (ONEDNN,)
    assert for_model("cpu") == (ONEDNN, AS_IT_IS)
