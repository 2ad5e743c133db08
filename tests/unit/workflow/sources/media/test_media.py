"""A workflow comes out of every kind of file as it went in, and a file without one says so in a sentence."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from comfyd.errors import NoWorkflow, Refused, WorkflowInvalid, WorkflowNotJson
from comfyd.workflow import Document, load

from . import files
from .files import API, KINDS, TEXTS, UI


@pytest.fixture(scope="session")
def made() -> dict[str, bytes]:
    """A file of every kind with both forms in it."""
    return {kind: make(TEXTS) for kind, make in KINDS.items()}


@pytest.fixture
def given(tmp_path: Path):
    """What is loaded from a file of these bytes."""

    def loaded(data: bytes, name: str = "made.bin") -> Document:
        (tmp_path / name).write_bytes(data)
        return load(str(tmp_path / name))

    return loaded


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms(made: dict[str, bytes], kind: str, given):
    assert given(made[kind]) == Document(name="made", api=API, ui=UI)


@pytest.mark.parametrize("kind", KINDS)
def test_one_form_alone(kind: str, given):
    assert given(KINDS[kind]({"prompt": TEXTS["prompt"]})) == Document(name="made", api=API)
    assert given(KINDS[kind]({"workflow": TEXTS["workflow"]})) == Document(name="made", ui=UI)


@pytest.mark.parametrize("kind", KINDS)
def test_no_form(kind: str, given):
    with pytest.raises(NoWorkflow, match="carries no workflow"):
        given(KINDS[kind]({}))


@pytest.mark.parametrize("kind", ["PNG", "MP4", "FLAC"])
def test_through_standard_input_and_a_pipe(made: dict[str, bytes], kind: str):
    assert load("-", io.TextIOWrapper(io.BytesIO(made[kind]))) == Document(name="stdin", api=API, ui=UI)
    reading, writing = os.pipe()
    os.write(writing, made[kind])
    os.close(writing)
    assert load(f"/dev/fd/{reading}").api == API
    os.close(reading)


PYTHON_WROTE = '{"1": {"class_type": "A", "inputs": {"x": NaN, "y": -Infinity, "z": 1e999}, "is_changed": [NaN]}}'


@pytest.mark.parametrize(
    "text",
    [
        PYTHON_WROTE,
        "\ufeff" + PYTHON_WROTE,
        PYTHON_WROTE + "\0",
        PYTHON_WROTE + "\0\0 rubbish }",
        "\0 " + PYTHON_WROTE,
        json.dumps(PYTHON_WROTE),
        json.dumps(json.dumps(PYTHON_WROTE)),
    ],
)
def test_what_writers_leave_around_and_in_the_text(text: str, given):
    inputs = {"x": None, "y": None, "z": None}
    expected = {"1": {"class_type": "A", "inputs": inputs, "is_changed": [None]}}
    assert given(files.safetensors({"prompt": text})).api == expected
    assert given(files.png({"prompt": text}, how="iTXt")).api == expected


def test_names_in_capitals_and_forms_under_each_others_name(given):
    swapped = {"PROMPT": TEXTS["workflow"], "Workflow": TEXTS["prompt"]}
    assert given(files.png(swapped)) == Document(name="made", api=API, ui=UI)


def test_a_form_that_is_the_whole_of_a_comment(given):
    for text, form in ((TEXTS["prompt"], {"api": API}), (TEXTS["workflow"], {"ui": UI})):
        assert given(files.saved("JPEG", exif=files.user_comment(text))) == Document(name="made", **form)
        assert given(files.saved("JPEG", comment=text.encode())) == Document(name="made", **form)


def test_a_broken_api_form_gives_way_to_the_ui_form(given):
    for broken in ('{"1": oops}', "{}", '{"1": 3}', '{"1": {"class_type": "A", "inputs": {"n": 99999999999999999999}}}'):
        found = given(files.png({"prompt": broken, "workflow": TEXTS["workflow"]}))
        assert found == Document(name="made", ui=UI)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"1": oops}', WorkflowNotJson),
        ("[" * 100_000, NoWorkflow),
        ('{"a":' * 100_000, WorkflowNotJson),
        ('{"1": ' + "9" * 5000 + "}", WorkflowNotJson),
        ("{}", WorkflowInvalid),
        ('{"1": {"class_type": 3}}', WorkflowInvalid),
        ('{"\\u001b[31m": 3}', WorkflowInvalid),
        ('{"1": {"class_type": "A", "inputs": {"text": "\\ud800"}}}', WorkflowInvalid),
    ],
)
def test_a_broken_form_alone_says_what_is_wrong_with_it(text: str, error: type[Refused], given):
    with pytest.raises(error) as raised:
        given(files.png({"prompt": text}, how="iTXt"))
    assert raised.value.message.isprintable()
    assert "made.bin" in raised.value.message


A1111 = "a red fox\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512"


@pytest.mark.parametrize(
    "data",
    [
        files.png({"parameters": A1111}),
        files.saved("JPEG", exif=files.user_comment(A1111, b"UNICODE\0", "utf-16-be")),
        files.saved("WEBP", exif=files.user_comment(A1111, b"UNICODE\0", "utf-16-le")),
    ],
    ids=["PNG", "JPEG", "WebP"],
)
def test_parameters_of_another_program_are_told_from_nothing(data: bytes, given):
    with pytest.raises(NoWorkflow, match="generation parameters"):
        given(data)


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": "a red fox"},
        {"prompt": '"a red fox"'},
        {"Comment": json.dumps({"prompt": "1girl", "steps": 28, "seed": 1})},
        {"Comment": json.dumps({"7": {"class_type": "X", "inputs": {}}, "extra": {"airs": []}, "extraMetadata": "{}"})},
        {"workflow": "3"},
    ],
)
def test_texts_of_other_programs_are_no_workflow(texts: dict[str, str], given):
    with pytest.raises(NoWorkflow, match="carries no workflow"):
        given(files.png(texts))


def test_a_workflow_before_the_cut_is_found(made: dict[str, bytes], given):
    data = made["PNG"]
    assert given(data[: data.index(b"IDAT")]).api == API
    with pytest.raises(NoWorkflow, match="damaged"):
        given(data[:60])


def test_a_changed_text_is_noticed(made: dict[str, bytes], given):
    with pytest.raises(NoWorkflow, match="checksum"):
        given(made["PNG"].replace(b"Fuchs", b"Dachs"))


def test_a_compressed_text_that_is_a_bomb(given):
    import zlib

    data = files.png({}).replace(b"IEND", b"IENX")
    bomb = files.chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"{" + b" " * 2**27))
    with pytest.raises(NoWorkflow, match="larger than any workflow"):
        given(data[:33] + bomb + data[33:])


def test_many_compressed_texts_that_are_small_bombs(given):
    import zlib

    data = files.png({})
    bomb = files.chunk(b"zTXt", b"a\0\0" + zlib.compress(b"{" + b" " * 2**25))
    with pytest.raises(NoWorkflow, match="larger than any workflow"):
        given(data[:33] + 9 * bomb + data[33:])


def sparse(path: Path, before: bytes, hole: int, after: bytes) -> None:
    with path.open("wb") as file:
        file.write(before)
        file.seek(hole, os.SEEK_CUR)
        file.write(after)


def test_media_data_is_passed_over(made: dict[str, bytes], tmp_path: Path):
    """A movie of 8 GB whose workflow stands behind its pictures."""
    movie = made["MP4"]
    at = movie.index(b"moov") - 4
    hole = 8 * 2**30
    skipped = (1).to_bytes(4, "big") + b"mdat" + (16 + hole).to_bytes(8, "big")
    sparse(tmp_path / "large.mp4", movie[:32] + skipped, hole, movie[at:])
    assert load(str(tmp_path / "large.mp4")).api == API


def test_a_text_larger_than_any_workflow(tmp_path: Path):
    path = tmp_path / "large.mkv"
    tags = b"\x12\x54\xc3\x67\x01" + (2**40).to_bytes(7, "big")
    one = b"\x73\x73\x01" + (2**39).to_bytes(7, "big") + b"\x67\xc8\x01" + (2**38).to_bytes(7, "big")
    name = b"\x45\xa3\x86PROMPT\x44\x87\x01" + (2**37).to_bytes(7, "big")
    sparse(path, b"\x1aE\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7 + tags + one + name, 2**41, b"}")
    with pytest.raises(NoWorkflow, match="larger than any workflow"):
        load(str(path))


def test_files_that_carry_none(tmp_path: Path):
    for name, data in {"a.gif": files.saved("GIF"), "a.bmp": files.saved("BMP"), "a.zip": b"PK\3\4\xff\xfe"}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(WorkflowNotJson, match="no file that a workflow can be read from"):
            load(str(tmp_path / name))


def test_directories_pipes_sockets_and_devices(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(Refused, match="is a named pipe"):
        load(str(tmp_path / "pipe.png"))
    with pytest.raises(Refused, match="is a device"):
        load("/dev/zero")
    with pytest.raises(Refused, match="is a directory"):
        load(str(tmp_path))


def test_only_a_media_file_pays_for_the_readers(tmp_path: Path):
    import subprocess
    import sys

    (tmp_path / "w.json").write_text(json.dumps(API))
    code = f"import sys; from comfyd.workflow import load; load({str(tmp_path / 'w.json')!r}); print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    loaded: Any = [name for name in names if name.startswith("comfyd.workflow.sources.media")]
    assert loaded == []
