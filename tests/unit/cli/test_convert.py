"""convert: the API graph on stdout or in a file, what would keep it from running on stderr."""

import json
import shutil
from pathlib import Path

import pytest
from comfyd_cli import main

from comfyd.errors import ComfydError, InvalidValue, OutputNotWritable, Unavailable, UnknownNode
from comfyd.workflow import load

from .conftest import Recorded
from .test_stored import CATALOGUE


@pytest.fixture
def known(terminal: Recorded) -> Recorded:
    """With a catalogue, and no daemon."""
    terminal.paths.cache.mkdir()
    shutil.copy(CATALOGUE, terminal.paths.cache / "catalogue-a.json")
    return terminal


def test_without_values_the_graph_is_what_it_was(known: Recorded):
    assert main.program(known, ["convert", "demo"]) == 0
    assert json.loads(known.written.getvalue()) == load("demo").api


def test_it_is_indented_as_the_editor_exports_it(known: Recorded):
    main.program(known, ["convert", "demo", "prompt", "größer"])
    written = known.written.getvalue()
    assert written.rstrip("\n") == json.dumps(json.loads(written), indent=2, ensure_ascii=False)
    assert "größer" in written


def test_values_are_applied_and_read_by_their_types(known: Recorded):
    assert main.program(known, ["convert", "demo", "prompt", "a", "red", "fox", "seed", "42", "cfg", "3"]) == 0
    graph = json.loads(known.written.getvalue())
    assert (graph["2"]["inputs"]["text"], graph["5"]["inputs"]["seed"], graph["5"]["inputs"]["cfg"]) == ("a red fox", 42, 3.0)


def test_a_local_file_is_where_the_graph_finds_it(known: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("comfyd_cli.uploads._input_folder", lambda terminal, start: tmp_path / "input")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    (tmp_path / "w.json").write_text(json.dumps(graph))
    (tmp_path / "cat.png").write_bytes(b"a cat")
    assert main.program(known, ["convert", str(tmp_path / "w.json"), "image", str(tmp_path / "cat.png")]) == 0
    name = json.loads(known.written.getvalue())["1"]["inputs"]["image"]
    assert (tmp_path / "input" / name).read_bytes() == b"a cat"
    assert known.err_lines == [f"'{tmp_path}/cat.png' was copied to the engine's input folder as {name}"]
    assert main.program(known, ["convert", str(tmp_path / "w.json"), "image", "dog.png"]) == 0
    assert "'dog.png', which the engine's input folder does not hold" in known.err_lines[1]


def test_a_missing_model_file_is_told_and_does_not_refuse(known: Recorded):
    assert main.program(known, ["convert", "demo", "model", "nope.safetensors"]) == 0
    assert json.loads(known.written.getvalue())["1"]["inputs"]["ckpt_name"] == "nope.safetensors"
    assert [line for line in known.err_lines if "nope.safetensors" in line] == known.err_lines
    assert len(known.err_lines) == 1


def test_a_missing_model_file_is_told_once_however_many_nodes_need_it(known: Recorded, tmp_path: Path):
    graph = load("demo").api or {}
    graph["1"]["inputs"]["ckpt_name"] = "nope.safetensors"
    graph["11"], graph["21"] = graph["1"], graph["1"] | {"inputs": {"ckpt_name": "other.safetensors"}}
    graph["3"]["inputs"]["clip"], graph["6"]["inputs"]["vae"] = ["11", 1], ["21", 2]
    (tmp_path / "w.json").write_text(json.dumps(graph))
    assert main.program(known, ["convert", str(tmp_path / "w.json")]) == 0
    assert [line.partition("'")[2].partition("'")[0] for line in known.err_lines] == ["nope.safetensors", "other.safetensors"]


def test_a_value_that_is_wrong_is_refused(known: Recorded):
    for name, value in (("sampler", "oiler"), ("seed", "many")):
        with pytest.raises(InvalidValue):
            main.program(known, ["convert", "demo", name, value])
    assert known.written.getvalue() == ""


def test_what_would_not_run_is_printed_all_the_same(known: Recorded, tmp_path: Path):
    graph = load("demo").api or {}
    del graph["7"], graph["6"]["inputs"]["vae"]
    (tmp_path / "w.json").write_text(json.dumps(graph))
    assert main.program(known, ["convert", str(tmp_path / "w.json")]) == 0
    assert json.loads(known.written.getvalue()) == graph
    assert known.err_lines[0].startswith("this does not run as it is: ")


def test_an_unknown_class_is_refused_by_name_and_title(known: Recorded, tmp_path: Path):
    graph = {"9": {"class_type": "NoSuchNode", "inputs": {}, "_meta": {"title": "My \x1b[31mnode"}}}
    (tmp_path / "w.json").write_text(json.dumps(graph))
    with pytest.raises(UnknownNode, match=r"'NoSuchNode', which node '9' \('My .*node'\) uses") as error:
        main.program(known, ["convert", str(tmp_path / "w.json")])
    assert error.value.message.isprintable()


def test_o_writes_the_file_whole_or_not_at_all(known: Recorded, tmp_path: Path):
    target = tmp_path / "api.json"
    target.write_text("before")
    target.chmod(0o640)
    (tmp_path / "link.json").symlink_to(target)
    with pytest.raises(ComfydError):
        main.program(known, ["convert", "demo", "seed", "many", "-o", str(target)])
    assert target.read_text() == "before"
    assert main.program(known, ["convert", "demo", "-o", str(tmp_path / "link.json")]) == 0
    assert json.loads(target.read_text()) == load("demo").api
    assert (tmp_path / "link.json").is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"api.json", "link.json", "cache"}
    assert known.written.getvalue() == ""


@pytest.mark.parametrize("target", ["/dev/null", "/proc/1", "/dev/null/x", "/nowhere/x.json"])
def test_o_refuses_what_is_no_file(known: Recorded, target: str):
    with pytest.raises(OutputNotWritable):
        main.program(known, ["convert", "demo", "-o", target])
    assert Path("/dev/null").is_char_device()


def test_on_a_terminal_nothing_gets_through_that_would_act_on_it(tmp_path: Path):
    terminal = Recorded(tmp_path, tty=True)
    terminal.paths.cache.mkdir()
    shutil.copy(CATALOGUE, terminal.paths.cache / "catalogue-a.json")
    main.program(terminal, ["convert", "demo", "prompt", "\x9b31m \u202e größer 😀"])
    written = terminal.written.getvalue()
    assert "größer 😀" in written
    assert all(character.isprintable() or character == "\n" for character in written)
    assert json.loads(written)["2"]["inputs"]["text"] == "\x9b31m \u202e größer 😀"


def test_without_a_catalogue_and_a_daemon_it_says_so(terminal: Recorded):
    with pytest.raises(Unavailable):
        main.program(terminal, ["convert", "demo", "--no-start"])
