"""The frozen CLIP-L text encoder of the demo model, by construction: every weight is a small integer times a power of two.

Nothing here is trained. The words' embeddings are counter-based random bytes. The 768 columns are divided:
``WORDS`` carry what the diffusion model reads, ``NONE`` is always zero, ``MARK`` tells start and end tokens from words,
and the last 77 hold the position, one column each, for the first layer's queries and keys alone. That layer has two
kinds of heads: ``BAG`` heads take the mean of all words so far, ``PREVIOUS`` heads read the token just before. Every
token thus says what it is, what stood before it and among which words; the padding after the prompt is one and the
same vector, the bag of all its words. Layers 1 to 11 are the identity.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

Half = Any
"""An array of half precision."""
Part = tuple[str, tuple[int, ...], Half | None]
"""Name, shape, values; None where all are zero."""

PREFIX = "text_encoders.clip_l."
VOCABULARY, WIDTH, POSITIONS, LAYERS = 49408, 768, 77, 12
START, END = 49406, 49407
WORDS = 689
NONE, MARK, FIRST_POSITION = 689, 690, 691
BAG = PREVIOUS = WIDTH // 2
"""Rows of queries, keys and values that belong to the heads of each kind (six heads each)."""


def random_bytes(name: str, *shape: int) -> Any:
    """Uniform int8 of this shape, a pure function of the name: the same on every machine."""
    stream = hashlib.shake_128(b"comfyd demo 1 " + name.encode()).digest(int(np.prod(shape)))
    return np.frombuffer(stream, np.int8).reshape(shape)


def _scaled(values: Any, exponent: int) -> Half:
    """int8 times 2 ** exponent, exact in half precision; a table is much faster than converting."""
    table = np.ldexp(np.arange(256).astype(np.uint8).view(np.int8).astype(np.float32), exponent).astype(np.float16)
    return table[values.view(np.uint8)]


def embeddings() -> Half:
    """(VOCABULARY, WIDTH): random; start and end tokens are marked, the end token, which also pads, is a quarter as strong."""
    rows: Half = np.zeros((VOCABULARY, WIDTH), np.float16)
    rows[:, :WORDS] = _scaled(random_bytes("embeddings", VOCABULARY, WORDS), -6)
    rows[END] /= 4
    rows[START, MARK], rows[END, MARK] = 2, 4
    return rows


def positions() -> Half:
    """(POSITIONS, WIDTH): one column per position."""
    rows: Half = np.zeros((POSITIONS, WIDTH), np.float16)
    rows[:, FIRST_POSITION:] = 4 * np.eye(POSITIONS, dtype=np.float16)
    return rows


def codes() -> Half:
    """(POSITIONS, 64): a code of plus and minus ones for each position, nearly orthogonal to the others."""
    return np.where(random_bytes("codes", POSITIONS, 64) < 0, -1, 1).astype(np.float16)


def queries() -> tuple[Half, Half]:
    """Weight and bias: constant for BAG heads, the code of the position before for PREVIOUS heads."""
    weight: Half = np.zeros((WIDTH, WIDTH), np.float16)
    before = codes()[np.maximum(np.arange(POSITIONS) - 1, 0)]
    weight[BAG:, FIRST_POSITION:] = np.tile(before.T, (PREVIOUS // 64, 1))
    bias: Half = np.zeros(WIDTH, np.float16)
    bias[:BAG] = 1
    return weight, bias


def keys() -> Half:
    """Marked tokens score far below words in BAG heads (NONE cancels the layer norm's mean); PREVIOUS heads match codes."""
    weight: Half = np.zeros((WIDTH, WIDTH), np.float16)
    weight[:BAG, MARK], weight[:BAG, NONE] = -4, 4
    weight[BAG:, FIRST_POSITION:] = np.tile(codes().T, (PREVIOUS // 64, 1))
    return weight


def values() -> Half:
    """Random directions of the word columns, nearly orthonormal."""
    weight: Half = np.zeros((WIDTH, WIDTH), np.float16)
    weight[:, :WORDS] = _scaled(random_bytes("values", WIDTH, WORDS), -11)
    return weight


def outputs() -> Half:
    """Random directions into the word columns, the bag twice as strong as the previous token."""
    weight: Half = np.zeros((WIDTH, WIDTH), np.float16)
    weight[:WORDS, :BAG] = _scaled(random_bytes("bag", WORDS, BAG), -10)
    weight[:WORDS, BAG:] = _scaled(random_bytes("previous", WORDS, PREVIOUS), -11)
    return weight


def _layer(index: int) -> Iterator[Part]:
    name = f"{PREFIX}transformer.text_model.encoder.layers.{index}"
    query, query_bias = queries() if index == 0 else (None, None)
    key, value, output = (keys(), values(), outputs()) if index == 0 else (None, None, None)
    for projection, weight, bias in (("q", query, query_bias), ("k", key, None), ("v", value, None), ("out", output, None)):
        yield f"{name}.self_attn.{projection}_proj.weight", (WIDTH, WIDTH), weight
        yield f"{name}.self_attn.{projection}_proj.bias", (WIDTH,), bias
    for norm in ("layer_norm1", "layer_norm2"):
        yield f"{name}.{norm}.weight", (WIDTH,), np.ones(WIDTH, np.float16)
        yield f"{name}.{norm}.bias", (WIDTH,), None
    for linear, inputs, width in (("fc1", WIDTH, 4 * WIDTH), ("fc2", 4 * WIDTH, WIDTH)):
        yield f"{name}.mlp.{linear}.weight", (width, inputs), None
        yield f"{name}.mlp.{linear}.bias", (width,), None


def parts() -> Iterator[Part]:
    """Every tensor of the text encoder under its name in the checkpoint."""
    model = f"{PREFIX}transformer.text_model"
    yield f"{PREFIX}logit_scale", (), np.array(4.6, np.float16)
    yield f"{model}.embeddings.token_embedding.weight", (VOCABULARY, WIDTH), embeddings()
    yield f"{model}.embeddings.position_embedding.weight", (POSITIONS, WIDTH), positions()
    for index in range(LAYERS):
        yield from _layer(index)
    yield f"{model}.final_layer_norm.weight", (WIDTH,), np.ones(WIDTH, np.float16)
    yield f"{model}.final_layer_norm.bias", (WIDTH,), None
    yield f"{PREFIX}transformer.text_projection.weight", (WIDTH, WIDTH), np.eye(WIDTH, dtype=np.float16)
