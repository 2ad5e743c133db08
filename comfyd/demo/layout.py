"""Names and shapes of the tensors of the demo checkpoint, in ComfyUI's SD3 layout.

The text encoder's are CLIP-L's; the autoencoder is a TAESD with 16 channels; the transformer is an MMDiT without a
``pos_embed`` key (ComfyUI computes a sine-cosine one for any size) and with RMS-normalised queries and keys.
"""

from collections.abc import Iterator

Shape = tuple[int, ...]
Tensor = tuple[str, Shape]

DEPTH = 5
HIDDEN = 64 * DEPTH
CONTEXT = 4096
POOLED = 2048
LATENT = 16
TRANSFORMER = "model.diffusion_model."
AUTOENCODER = "first_stage_model."


def _linear(name: str, inputs: int, outputs: int) -> Iterator[Tensor]:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _stream(name: str, pre_only: bool) -> Iterator[Tensor]:
    """One stream (text or image) of a joint block; the last block's text stream only feeds the attention."""
    yield from _linear(f"{name}.attn.qkv", HIDDEN, 3 * HIDDEN)
    yield f"{name}.attn.ln_q.weight", (64,)
    yield f"{name}.attn.ln_k.weight", (64,)
    yield from _linear(f"{name}.adaLN_modulation.1", HIDDEN, (2 if pre_only else 6) * HIDDEN)
    if not pre_only:
        yield from _linear(f"{name}.attn.proj", HIDDEN, HIDDEN)
        yield from _linear(f"{name}.mlp.fc1", HIDDEN, 4 * HIDDEN)
        yield from _linear(f"{name}.mlp.fc2", 4 * HIDDEN, HIDDEN)


def transformer() -> Iterator[Tensor]:
    """The MMDiT, without its prefix."""
    yield "x_embedder.proj.weight", (HIDDEN, LATENT, 2, 2)
    yield "x_embedder.proj.bias", (HIDDEN,)
    for name, inputs in (("t_embedder", 256), ("y_embedder", POOLED)):
        yield from _linear(f"{name}.mlp.0", inputs, HIDDEN)
        yield from _linear(f"{name}.mlp.2", HIDDEN, HIDDEN)
    yield from _linear("context_embedder", CONTEXT, HIDDEN)
    for block in range(DEPTH):
        yield from _stream(f"joint_blocks.{block}.context_block", pre_only=block == DEPTH - 1)
        yield from _stream(f"joint_blocks.{block}.x_block", pre_only=False)
    yield from _linear("final_layer.linear", HIDDEN, 4 * LATENT)
    yield from _linear("final_layer.adaLN_modulation.1", HIDDEN, 2 * HIDDEN)


def _conv(name: str, inputs: int, outputs: int, bias: bool = True) -> Iterator[Tensor]:
    yield f"{name}.weight", (outputs, inputs, 3, 3)
    if bias:
        yield f"{name}.bias", (outputs,)


Layers = tuple[int, ...]


def _convolutions(half: str, ends: dict[int, tuple[int, int]], resamplings: Layers, blocks: Layers) -> Iterator[Tensor]:
    for layer in sorted((*ends, *resamplings, *blocks)):
        if layer in blocks:
            for step in (0, 2, 4):
                yield from _conv(f"{half}.{layer}.conv.{step}", 64, 64)
        else:
            yield from _conv(f"{half}.{layer}", *ends.get(layer, (64, 64)), bias=layer in ends)


def autoencoder() -> Iterator[Tensor]:
    """The TAESD, without its prefix; scale and shift are scalars."""
    yield "vae_scale", ()
    yield "vae_shift", ()
    yield from _convolutions("taesd_encoder", {0: (3, 64), 14: (64, LATENT)}, (2, 6, 10), (1, 3, 4, 5, 7, 8, 9, 11, 12, 13))
    yield from _convolutions("taesd_decoder", {1: (LATENT, 64), 19: (64, 3)}, (7, 12, 17), (3, 4, 5, 8, 9, 10, 13, 14, 15, 18))
