"""Embeddings that texts name: an encode stays as long as the file is the one that it was made from."""

from pathlib import Path

import numpy
import pytest
from safetensors.numpy import save_file

from .graphs import PROMPT, demo
from .worker import WorkerProcess, done

TEXTS = ("a cat, embedding:style", "(embedding:style:1.2), a cat", "embedding:style, a cat", "a cat embedding:style.safetensors")


def write(file: Path, value: float) -> None:
    file.parent.mkdir(exist_ok=True)
    save_file({"emb_params": numpy.full((1, 64), value, numpy.float32)}, file)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_encoded_again_when_its_embedding_changes(worker: WorkerProcess, text: str) -> None:
    file = worker.base / "models" / "embeddings" / "style.safetensors"

    def encoded() -> bool:
        return PROMPT in done(worker.run(demo(text, steps=1))).executed

    write(file, 0.0)
    assert encoded()
    assert not encoded()
    write(file, 1.0)
    assert encoded()
    file.unlink()
    assert encoded()
    assert not encoded()


def test_other_embeddings_do_not_matter(worker: WorkerProcess) -> None:
    folder = worker.base / "models" / "embeddings"
    write(folder / "mine.safetensors", 0.0)
    graph = demo("embedding:mine", steps=1)
    worker.run(graph)
    write(folder / "another.safetensors", 0.0)
    assert done(worker.run(graph)).executed == []
