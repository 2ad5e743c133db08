"""Whatever is done to a file, loading it ends in a workflow or in one sentence."""

import io
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from comfyd.errors import Refused
from comfyd.workflow import load
from tests.unit.workflow.test_properties import require_one_sentence

from .files import API, KINDS, TEXTS, UI, png

FILES = {kind: make(TEXTS) for kind, make in KINDS.items()}
MAGICS = [data[:size] for data in FILES.values() for size in (4, 12, 24, 48)]
kinds = st.sampled_from(sorted(FILES))


def read(data: bytes) -> Any:
    """The document, or None where the file was refused in a sentence."""
    try:
        return load("-", io.TextIOWrapper(io.BytesIO(data)))
    except Refused as error:
        require_one_sentence(error)
        return None


@given(kinds, st.floats(0, 1))
def test_cut_off(kind: str, where: float):
    data = FILES[kind]
    found = read(data[: int(where * len(data))])
    assert found is None or found.api in (None, API)
    assert found is None or found.ui in (None, UI)


@given(kinds, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 7)), min_size=1, max_size=8))
def test_bits_changed(kind: str, flips: list[tuple[int, int]]):
    data = bytearray(FILES[kind])
    for place, bit in flips:
        data[place % len(data)] ^= 1 << bit
    read(bytes(data))


@given(kinds, st.integers(0, 10**6), st.binary(min_size=1, max_size=16))
def test_bytes_replaced(kind: str, place: int, new: bytes):
    data = FILES[kind]
    place %= len(data)
    read(data[:place] + new + data[place + len(new) :])


@given(st.sampled_from(MAGICS), st.binary(max_size=400))
@example(b"RIFF\0\0\0\0WEBP", b"EXIF\xff\xff\xff\xff")
@example(b"\x89PNG\r\n\x1a\n", b"\xff\xff\xff\xfftEXt")
@example(b"\0\0\0\0ftypavif", b"\0" * 64)
@example(b"\x1aE\xdf\xa3", b"\x01" + b"\xff" * 7 + b"\x67\xc8\x80" * 20)
@example(b"ID3\x04\0\x40", b"\x7f" * 64)
@example(b"OggS", b"\0" * 22 + b"\xff" + b"\xff" * 300)
def test_anything_behind_a_right_beginning(magic: bytes, rest: bytes):
    read(magic + rest)


@given(st.binary(max_size=200))
def test_anything_at_all(data: bytes):
    read(data)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_as_a_form(prompt: str, workflow: str):
    texts = {"prompt": prompt.encode("utf-8", "replace").decode(), "workflow": workflow.encode("utf-8", "replace").decode()}
    read(png(texts, how="iTXt"))
