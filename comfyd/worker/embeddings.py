"""The identity of the embedding files that a text names (``embedding:NAME``), so that a changed file is read again."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import folder_paths

from .files import Mark, mark

_WORD = "embedding:"
_NAMED = re.compile(_WORD + r"(\S+)")
_ENDS = re.compile(r"[,:()\[\]<>|]")
"""What may end a name, or be part of it: that is up to whoever reads the text, with its weights in brackets."""
_MOST = 16  # ends tried in one word
_SUFFIXES = ("", ".safetensors", ".pt", ".bin")  # in which the engine looks for a name (sd1_clip.py: ``load_embed``)
_REMEMBERED = 1.0  # seconds; the engine itself walks through the folders for each name
_folders: tuple[float, list[Path]] = (0.0, [])


def embeddings(text: str) -> dict[str, list[Mark]]:
    """The marks of all files that the text may mean, by ``embedding:NAME``; no marks where there is no such file."""
    return {_WORD + name: _marks(name) for name in sorted(_names(text))} if _WORD in text else {}


def _names(text: str) -> set[str]:
    words = (word.replace("\\(", "(").replace("\\)", ")") for word in _NAMED.findall(text))
    return {name for word in words for name in _beginnings(word) if name}


def _beginnings(word: str) -> Iterator[str]:
    """The word, and what of it comes before anything that may end a name."""
    ends = [found.start() for found in _ENDS.finditer(word)][:_MOST]
    return (word[:end].strip(",") for end in [*ends, len(word)])


def _marks(name: str) -> list[Mark]:
    """Of every file of that name: in which order the engine looks through its folders is not known."""
    paths = (Path(os.path.abspath(folder / (name + suffix))) for folder in _searched() for suffix in _SUFFIXES)  # noqa: PTH100
    return [found for path in dict.fromkeys(paths) if (found := mark(path)) and path.is_file()]


def _searched() -> list[Path]:
    global _folders
    until, folders = _folders
    if time.monotonic() >= until:
        roots = folder_paths.get_folder_paths("embeddings")
        folders = sorted({Path(folder) for root in roots for folder, _, _ in os.walk(root, followlinks=True)})
        _folders = time.monotonic() + _REMEMBERED, folders
    return folders
