"""Loading: where a workflow comes from, strict JSON, and which form it has."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from comfyd.errors import ComfydError, WorkflowFormat, WorkflowInvalid, WorkflowNotFound, WorkflowNotJson
from comfyd.workflow import Catalogue, Document, load, prepare

NODE = '{"1": {"class_type": "SaveImage", "inputs": {}}}'


def test_the_built_in_workflow():
    demo = load("demo")
    assert demo.name == "demo"
    assert demo.api is not None
    assert demo.api["5"]["class_type"] == "KSampler"


def test_a_file_is_named_by_its_stem(tmp_path: Path):
    file = tmp_path / "portrait.json"
    file.write_text(NODE)
    assert load(str(file)) == Document(name="portrait", api=json.loads(NODE))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings(tmp_path: Path, encoding: str):
    file = tmp_path / "w.json"
    file.write_text(NODE.replace("SaveImage", "Sävé"), encoding=encoding)
    assert load(str(file)).api["1"]["class_type"] == "Sävé"


def test_standard_input():
    assert load("-", io.StringIO(NODE)) == Document(name="stdin", api=json.loads(NODE))
    assert load("-", io.TextIOWrapper(io.BytesIO(NODE.encode()))).api == json.loads(NODE)


def test_a_literal():
    assert load("  " + NODE).name == "literal"


def test_the_body_of_a_prompt_request_is_unwrapped():
    assert load(f'{{"client_id": "x", "prompt": {NODE}}}').api == json.loads(NODE)


def test_a_node_called_prompt_is_a_node():
    graph = {"prompt": {"class_type": "SaveImage", "inputs": {}}}
    assert load(json.dumps(graph)).api == graph


def test_seeds_of_64_bits_survive():
    text = NODE.replace('"inputs": {}', '"inputs": {"seed": 18446744073709551615}')
    assert load(text).api["1"]["inputs"]["seed"] == 2**64 - 1


def test_not_found_suggests_a_built_in_name():
    with pytest.raises(WorkflowNotFound, match="did you mean 'demo'"):
        load("deno")


def test_not_found_suggests_a_file(tmp_path: Path):
    (tmp_path / "portrait.json").write_text(NODE)
    with pytest.raises(WorkflowNotFound, match=r"did you mean '.*portrait\.json'"):
        load(str(tmp_path / "portrat.json"))


def test_directories_and_impossible_names(tmp_path: Path):
    with pytest.raises(WorkflowNotFound, match="is a directory"):
        load(str(tmp_path))
    for name in ("a\0b", "x" * 5000, str(tmp_path / "none" / "w.json"), ""):
        with pytest.raises(WorkflowNotFound):
            load(name)


def test_a_syntax_error_has_line_and_column(tmp_path: Path):
    file = tmp_path / "w.json"
    file.write_text('{\n  "1": oops\n}')
    with pytest.raises(WorkflowNotJson, match="line 2, column 8"):
        load(str(file))


@pytest.mark.parametrize("data", [b"", b"  \n", b"PK\3\4\xff\xfe\xfd", b'{"1": ', b"[" * 100_000, b"hello"])
def test_not_json(tmp_path: Path, data: bytes):
    file = tmp_path / "w.json"
    file.write_bytes(data)
    with pytest.raises(WorkflowNotJson) as error:
        load(str(file))
    assert error.value.message.endswith(".")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "too large"),
        (str(2**64), "64 bits"),
        (str(-(2**63) - 1), "64 bits"),
        ("1" * 5000, "too many digits"),
        ('"\\ud800"', "cannot carry"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ("[" * 100_000 + "]" * 100_000, "nested"),
    ],
)
def test_json_that_cannot_travel(value: str, reason: str):
    with pytest.raises((WorkflowInvalid, WorkflowNotJson), match=reason):
        load('{"1": {"class_type": "X", "inputs": {"a": ' + value + "}}}")


def deep_ui(depth: int) -> str:
    return '{"nodes": [], "links": [], "extra": ' + "[" * depth + "]" * depth + "}"


@pytest.mark.parametrize("depth", [10, 100, 190])
def test_deep_nesting_that_can_travel(depth: int):
    ui = load(deep_ui(depth)).ui
    assert msgspec.msgpack.decode(msgspec.msgpack.encode({"extra_pnginfo": {"workflow": ui}}))


@pytest.mark.parametrize("depth", [210, *range(250, 1200, 50), 100_000])
def test_deep_nesting_that_could_not(depth: int):
    with pytest.raises((WorkflowInvalid, WorkflowNotJson), match="nested"):
        load(deep_ui(depth))


def test_what_is_larger_than_any_workflow_is_refused_before_it_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("comfyd.workflow.sources.text.json.loads", None)
    file = tmp_path / "bomb.json"
    file.write_text('{"1": [' + "[]," * 3_000_000 + "[]]}")
    with pytest.raises(WorkflowFormat, match="more than 3,000,000 objects and lists"):
        load(str(file))
    with file.open("r+b") as stream:
        stream.truncate(64 * 2**20 + 1)
    with pytest.raises(WorkflowFormat, match="larger than 64 MiB"):
        load(str(file))


def test_duplicate_node_ids_are_refused():
    with pytest.raises(WorkflowInvalid, match="'1' twice"):
        load('{"1": {"class_type": "A", "inputs": {}}, "1": {"class_type": "B", "inputs": {}}}')


UI = '{"nodes": [{"id": 1}], "links": [], "version": 0.4}'


@pytest.mark.parametrize("text", [UI, f'{{"workflow": {UI}}}'])
def test_what_the_editor_saves_is_the_ui_form(text: str):
    given = load(text)
    assert given.api is None
    assert given.ui == json.loads(UI)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"prompt": {NODE}, "workflow": {UI}}}',
        f'{{"prompt": {NODE}, "extra_data": {{"extra_pnginfo": {{"workflow": {UI}}}}}}}',
    ],
)
def test_both_forms_in_one(text: str):
    assert load(text) == Document(name="literal", api=json.loads(NODE), ui=json.loads(UI))


@pytest.mark.parametrize("beside", ['"workflow": 3', '"extra_data": 3', '"extra_data": {"extra_pnginfo": []}'])
def test_what_stands_beside_the_graph_may_be_anything(beside: str):
    assert load(f'{{"prompt": {NODE}, {beside}}}') == Document(name="literal", api=json.loads(NODE))


def test_the_api_form_runs_where_there_are_both():
    assert prepare(json.loads(NODE), json.loads(UI), Catalogue({})) == json.loads(NODE)


def test_a_document_without_a_form_is_refused():
    with pytest.raises(WorkflowInvalid, match="empty"):
        prepare(None, None, Catalogue({}))


@pytest.mark.parametrize("data", ["[]", "3", '"text"', "null"])
def test_json_that_is_no_workflow(tmp_path: Path, data: str):
    file = tmp_path / "w.json"
    file.write_text(data)
    with pytest.raises(WorkflowFormat):
        load(str(file))


@pytest.mark.parametrize(
    "text",
    ["{}", '{"1": 2}', '{"1": {}}', '{"1": {"class_type": 3}}', '{"1": {"class_type": "A", "inputs": []}}', '{"prompt": {}}'],
)
def test_malformed_graphs(text: str):
    with pytest.raises(WorkflowInvalid):
        load(text)


def test_control_characters_are_escaped():
    with pytest.raises(ComfydError) as error:
        load('{"\\u001b[31m\\n": 3}')
    assert "\\x1b[31m\\n" in error.value.message
    assert error.value.message.isprintable()


def test_an_address_on_the_web_is_no_file() -> None:
    with pytest.raises(WorkflowNotFound, match=r"'https://example\.org/flow\.json' is an address on the web; download the file"):
        load("https://example.org/flow.json")
