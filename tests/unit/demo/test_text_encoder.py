"""The frozen text encoder does what its construction says, computed here without ComfyUI."""

import hashlib
from typing import Any

import pytest

numpy = pytest.importorskip("numpy")

from comfyd.demo import text_encoder as frozen  # noqa: E402

PROMPT = [320, 736, 2368, 525, 320, 4481, 5994]
SHA256 = "6f109e98f72b96b78327e7881b71c2da6e06e0ce39fdb2dc59f702c9cce31b05"
HEADS = frozen.WIDTH // 64


def _tokens(prompt: list[int]) -> list[int]:
    return [frozen.START, *prompt] + [frozen.END] * (frozen.POSITIONS - 1 - len(prompt))


@pytest.fixture(scope="module")
def embeddings() -> Any:
    return frozen.embeddings().astype(numpy.float64)


def _input(embeddings: Any, prompt: list[int]) -> Any:
    """What enters the first layer's attention, after its layer norm."""
    x = embeddings[_tokens(prompt)] + frozen.positions()
    return (x - x.mean(1, keepdims=True)) / numpy.sqrt(x.var(1, keepdims=True) + 1e-5)


def _attention(x: Any) -> Any:
    """(heads, position, position) weights of the first layer, causal."""
    weight, bias = frozen.queries()
    q = (x @ weight.T + bias).reshape(len(x), HEADS, 64).swapaxes(0, 1)
    k = (x @ frozen.keys().T).reshape(len(x), HEADS, 64).swapaxes(0, 1)
    scores = numpy.where(numpy.tri(len(x)) > 0, q @ k.swapaxes(1, 2) / 8, -numpy.inf)
    weights = numpy.exp(scores - scores.max(2, keepdims=True))
    return weights / weights.sum(2, keepdims=True)


def test_the_construction_is_the_recorded_one():
    digest = hashlib.sha256()
    for name, shape, values in frozen.parts():
        digest.update(f"{name} {shape}".encode())
        digest.update(b"" if values is None else values.tobytes())
    assert digest.hexdigest() == SHA256


def test_random_bytes_depend_on_the_name_alone():
    assert (frozen.random_bytes("a", 3, 4) == frozen.random_bytes("a", 12).reshape(3, 4)).all()
    assert (frozen.random_bytes("a", 12) != frozen.random_bytes("b", 12)).any()


def test_every_weight_is_a_small_integer_times_a_power_of_two():
    for values, exponent in ((frozen.embeddings()[:1000], 8), (frozen.values(), 11), (frozen.outputs(), 11)):
        scaled = numpy.ldexp(values.astype(numpy.float64), exponent)
        assert (scaled == scaled.round()).all()


def test_bag_heads_take_the_mean_of_the_words_so_far(embeddings: Any):
    weights = _attention(_input(embeddings, PROMPT))[: HEADS // 2]
    words = len(PROMPT)
    for position in range(1, frozen.POSITIONS):
        seen = min(position, words)
        assert weights[:, position, 1 : seen + 1] == pytest.approx(1 / seen)


def test_bag_heads_see_the_start_alone_when_there_are_no_words(embeddings: Any):
    weights = _attention(_input(embeddings, []))[: HEADS // 2]
    assert weights[:, :, 0] == pytest.approx(1)


@pytest.mark.parametrize("prompt", [PROMPT, [], PROMPT * 10], ids=["words", "empty", "long"])
def test_previous_heads_read_the_token_before(embeddings: Any, prompt: list[int]):
    weights = _attention(_input(embeddings, prompt))[HEADS // 2 :]
    before = numpy.maximum(numpy.arange(frozen.POSITIONS) - 1, 0)
    assert weights[:, numpy.arange(frozen.POSITIONS), before] == pytest.approx(1)


def test_positions_stay_out_of_what_the_model_reads():
    assert not frozen.positions()[:, : frozen.WORDS].any()
    assert not frozen.values()[:, frozen.WORDS :].any()
    assert not frozen.outputs()[frozen.WORDS :].any()
